"""What a search engine or a messenger reads of a product: schema.org Product as JSON-LD. Pure."""

from __future__ import annotations

from typing import Any

from catalog.lots.queries import ProductSheet
from catalog.lots.queries.sheet import PackOffer
from kernel.quantities import BaseUnit
from shop.storefront.queries import Reviews

SCHEMA = "https://schema.org"


def product_data(sheet: ProductSheet, reviews: Reviews, *, site: str) -> dict[str, Any]:
    """Offers of every pack, and the mean of the letters only where there are any."""
    product = sheet.product
    address = f"{site}/products/{product.slug}"
    data: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name_zh,
        "alternateName": product.name_en,
        "description": product.summary_zh,
        "sku": product.code,
        "url": address,
        "image": [f"{address}/share.png", *_photos(product.gallery, site)],
        "category": product.category.name_zh,
        "countryOfOrigin": {"@type": "Country", "name": "CN"},
        "brand": {"@type": "Brand", "name": product.supplier.organisation.short_name},
    }
    if sheet.packs:
        data["offers"] = [_offer(sheet, each, address) for each in sheet.packs]
    if reviews.count:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": f"{reviews.mean_tenths // 10}.{reviews.mean_tenths % 10}",
            "reviewCount": reviews.count,
            "bestRating": 5,
            "worstRating": 1,
        }
    return data


def _photos(gallery: list[dict[str, Any]], site: str) -> list[str]:
    return [f"{site}/photos/{each['id']}/{each['sizes'][-1][0]}.webp" for each in gallery]


def _offer(sheet: ProductSheet, each: PackOffer, address: str) -> dict[str, Any]:
    product = sheet.product
    there = sheet.on_sale and each.count > 0
    offer: dict[str, Any] = {
        "@type": "Offer",
        "name": each.pack.name_zh,
        "url": f"{address}?pack={each.pack.id}",
        "price": each.pack.price.yuan if each.pack.price is not None else "",
        "priceCurrency": "CNY",
        "itemCondition": f"{SCHEMA}/NewCondition",
        "availability": f"{SCHEMA}/{'InStock' if there else 'OutOfStock'}",
        "seller": {"@type": "Organization", "name": product.supplier.organisation.name},
        "hasMerchantReturnPolicy": _returning(fresh=product.fresh),
    }
    if product.base_unit is BaseUnit.GRAM:
        offer["eligibleQuantity"] = {
            "@type": "QuantitativeValue",
            "value": each.pack.content,
            "unitCode": "GRM",
        }
    return offer


def _returning(*, fresh: bool) -> dict[str, Any]:
    policy: dict[str, Any] = {"@type": "MerchantReturnPolicy", "applicableCountry": "CN"}
    if fresh:
        return policy | {"returnPolicyCategory": f"{SCHEMA}/MerchantReturnNotPermitted"}
    return policy | {
        "returnPolicyCategory": f"{SCHEMA}/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": 7,
        "returnMethod": f"{SCHEMA}/ReturnByMail",
    }

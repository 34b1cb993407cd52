"""Products, packs, their pictures and prices, and what cooperatives pay households for them."""

from catalog.products.models.goods import (
    Category,
    Grade,
    MandatedProduct,
    OffReason,
    Pack,
    Product,
    ProductPhoto,
    ProductState,
    ProductVersion,
    RejectReason,
    Shelf,
    VersionState,
)
from catalog.products.models.prices import (
    Audience,
    ListPrice,
    PackPrice,
    PriceList,
    PriceMeasure,
    PurchasePrice,
    ReferencePrice,
    ReferenceSource,
)

__all__ = [
    "Audience",
    "Category",
    "Grade",
    "ListPrice",
    "MandatedProduct",
    "OffReason",
    "Pack",
    "PackPrice",
    "PriceList",
    "PriceMeasure",
    "Product",
    "ProductPhoto",
    "ProductState",
    "ProductVersion",
    "PurchasePrice",
    "ReferencePrice",
    "ReferenceSource",
    "RejectReason",
    "Shelf",
    "VersionState",
]

"""Versions of products: what a cooperative proposes, what waits, and how it would look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.products.models import (
    Category,
    Grade,
    Product,
    ProductPhoto,
    ProductVersion,
    Shelf,
    VersionState,
)
from catalog.products.queries.photos import gallery
from catalog.suppliers.models import Supplier
from kernel.errors import Missing, Text
from kernel.money import Money, Price

OPEN = (VersionState.DRAFT, VersionState.WAITING)


def content_of(product: Product) -> dict[str, Any]:
    """What the shop shows of a product, in the words of a version; its photos must be loaded."""
    return {
        "name_zh": product.name_zh,
        "name_en": product.name_en,
        "category_id": product.category_id,
        "summary_zh": product.summary_zh,
        "summary_en": product.summary_en,
        "story_zh": product.story_zh,
        "story_en": product.story_en,
        "storage_zh": product.storage_zh,
        "storage_en": product.storage_en,
        "shelf_life_days": product.shelf_life_days,
        "harvest": [list(each) for each in product.harvest],
        "stored": [list(each) for each in product.stored],
        "sold_from": product.sold_from.isoformat() if product.sold_from else None,
        "sold_to": product.sold_to.isoformat() if product.sold_to else None,
        "photos": [
            {"id": photo.id, "alt_zh": photo.alt_zh, "alt_en": photo.alt_en}
            for photo in product.photos
            if photo.position is not None
        ],
        "packs": [],
    }


def open_version(session: Session, product_id: int) -> ProductVersion | None:
    """The one that is being written or waits."""
    return session.scalar(
        sa.select(ProductVersion).where(
            ProductVersion.product_id == product_id, ProductVersion.state.in_(OPEN)
        )
    )


def last_decided(session: Session, product_id: int) -> ProductVersion | None:
    """The newest that was admitted or returned: an editor shows why something came back."""
    return session.scalar(
        sa.select(ProductVersion)
        .where(
            ProductVersion.product_id == product_id,
            ProductVersion.state.in_((VersionState.ADMITTED, VersionState.RETURNED)),
        )
        .order_by(ProductVersion.number.desc())
        .limit(1)
    )


def content_to_edit(
    product: Product, version: ProductVersion | None, decided: ProductVersion | None
) -> dict[str, Any]:
    """What an editor begins with: the open version, else what came back, else what the shop shows;
    `product` is from `product_sheet_of`."""
    if version is not None:
        return version.content
    if decided is not None and decided.state is VersionState.RETURNED:
        return decided.content
    return content_of(product)


def versions_in_short(session: Session, product_ids: Collection[int]) -> dict[int, ProductVersion]:
    """Product → its newest version, for a list; one query."""
    newest = (
        sa.select(sa.func.max(ProductVersion.id))
        .where(ProductVersion.product_id.in_(sorted(product_ids)))
        .group_by(ProductVersion.product_id)
    )
    found = session.scalars(sa.select(ProductVersion).where(ProductVersion.id.in_(newest)))
    return {version.product_id: version for version in found}


def waiting_versions(session: Session, *, limit: int = 200) -> list[ProductVersion]:
    """What waits for the operator, longest waiting first, with products and suppliers."""
    return list(
        session.scalars(
            sa.select(ProductVersion)
            .where(ProductVersion.state == VersionState.WAITING)
            .options(
                joinedload(ProductVersion.product)
                .joinedload(Product.supplier)
                .joinedload(Supplier.organisation)
            )
            .order_by(ProductVersion.submitted_at, ProductVersion.id)
            .limit(limit)
        )
    )


def decided_versions(session: Session, *, limit: int = 20) -> list[ProductVersion]:
    """What was decided last, newest first."""
    return list(
        session.scalars(
            sa.select(ProductVersion)
            .where(ProductVersion.decided_at.is_not(None))
            .options(
                joinedload(ProductVersion.product)
                .joinedload(Product.supplier)
                .joinedload(Supplier.organisation)
            )
            .order_by(ProductVersion.decided_at.desc(), ProductVersion.id.desc())
            .limit(limit)
        )
    )


def version_sheet(session: Session, version_id: int) -> ProductVersion:
    """A version with its product, packs, photos and supplier; or Missing."""
    found = session.scalar(
        sa.select(ProductVersion)
        .where(ProductVersion.id == version_id)
        .options(
            joinedload(ProductVersion.product).options(
                selectinload(Product.packs),
                selectinload(Product.photos).joinedload(ProductPhoto.picture),
                joinedload(Product.category),
                joinedload(Product.supplier).joinedload(Supplier.organisation),
            )
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


@dataclass(slots=True)
class Proposed:
    """A product as it would be: the version's words over the product's, with the same names, so
    that the shop's own page can show it. Nothing here is a row."""

    product: Product
    content: dict[str, Any]
    category: Category
    photos: list[ProductPhoto]
    packs: list[Any]

    def __getattr__(self, name: str) -> Any:
        if name == "gallery":
            return gallery(self.photos)
        if name in ("sold_from", "sold_to"):
            value = self.content.get(name)
            return date.fromisoformat(value) if value else None
        if name in self.content:
            return self.content[name]
        return getattr(self.product, name)


@dataclass(frozen=True, slots=True)
class ProposedPack:
    """A new pack of a version, as a pack."""

    id: int
    product: Any
    shelf: Shelf
    grade: Grade
    name_zh: str
    name_en: str
    content: int
    price: Money | None
    unit_price: Price | None
    steps: list[Any]
    most_per_order: int = 20
    note_zh: str = ""
    note_en: str = ""
    on_sale: bool = True


def proposed(session: Session, version: ProductVersion) -> Proposed:
    """How the product of this version (from `version_sheet`) would look."""
    content = version.content
    chosen = {each["id"]: each for each in content["photos"]}
    known = {
        photo.id: photo
        for photo in session.scalars(
            sa.select(ProductPhoto)
            .where(ProductPhoto.id.in_(sorted(chosen)))
            .options(joinedload(ProductPhoto.picture))
        )
    }
    category = session.get(Category, content["category_id"]) or version.product.category
    made = Proposed(
        version.product,
        content,
        category,
        [known[each["id"]] for each in content["photos"] if each["id"] in known],
        [pack for pack in version.product.packs if pack.on_sale],
    )
    made.packs += [
        proposed_pack(each, product=made, number=n) for n, each in enumerate(content["packs"], 1)
    ]
    return made


def proposed_pack(said: dict[str, Any], *, product: Any, number: int) -> ProposedPack:
    citizens = said["shelf"] == Shelf.CITIZENS.value
    return ProposedPack(
        id=-number,
        product=product,
        shelf=Shelf(said["shelf"]),
        grade=Grade(said["grade"]),
        name_zh=said["name_zh"],
        name_en=said["name_en"],
        content=said["content"],
        price=Money(said["value"]) if citizens else None,
        unit_price=None if citizens else Price(said["value"]),
        steps=said.get("steps", []),
    )

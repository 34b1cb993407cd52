"""Products, packs and photos, and the versions in which a cooperative proposes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models import Mandate, Supplier
from kernel.db import DERIVED, Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.pictures import Picture
from kernel.quantities import BaseUnit


class Category(Model):
    __tablename__ = "categories"

    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(sa.String(40))
    name_en: Mapped[str] = mapped_column(sa.String(60))
    position: Mapped[int]


class ProductState(Labelled):
    """草稿 → 待审 → 上架 → 下架 → 停售 (domain.md §2.1); `rules.offering.MOVES` says which."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"
    ENDED = "ended"


class OffReason(Labelled):
    """Why a product is off sale (domain.md §2.1)."""

    OWN_WISH = "own_wish"
    SOLD_OUT = "sold_out"
    SEASON = "season"
    CERTIFICATE = "certificate"
    # Whoever grew it no longer lets this supplier sell it.
    MANDATE = "mandate"
    RULE_BROKEN = "rule_broken"


class Grade(Labelled):
    FIRST = "first"
    SECOND = "second"
    MIXED = "mixed"


class Product(Made, Model):
    """Something that is grown or made from what is grown. Its row is also the lock of its stock:
    whoever reserves, ships or moves goods of a product locks the product first, in id order."""

    __tablename__ = "products"
    __table_args__ = (sa.Index("ix_products_shelf", "state", "position", "id"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name_zh: Mapped[str] = mapped_column(sa.String(60))
    name_en: Mapped[str] = mapped_column(sa.String(80))
    summary_zh: Mapped[str] = mapped_column(sa.String(200))
    summary_en: Mapped[str] = mapped_column(sa.String(300))
    story_zh: Mapped[str] = mapped_column(sa.Text, default="")
    story_en: Mapped[str] = mapped_column(sa.Text, default="")
    storage_zh: Mapped[str] = mapped_column(sa.String(200), default="")
    storage_en: Mapped[str] = mapped_column(sa.String(300), default="")
    illustration: Mapped[str] = mapped_column(sa.String(40))
    position: Mapped[int] = mapped_column(default=100)
    base_unit: Mapped[BaseUnit]
    state: Mapped[ProductState]
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    off_reason: Mapped[OffReason | None] = mapped_column(info=added(None))
    # Ordered only from this day and up to that one, both counted in; none is no limit.
    sold_from: Mapped[date | None] = mapped_column(info=added(None))
    sold_to: Mapped[date | None] = mapped_column(info=added(None))
    fresh: Mapped[bool]
    needs_certificate: Mapped[bool]
    shelf_life_days: Mapped[int]
    # Harvest and store seasons as [[from month-day, to month-day], …], e.g. [["10-10","12-20"]].
    harvest: Mapped[list[Any]]
    stored: Mapped[list[Any]]
    most_yield_kg_per_mu: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(sa.Text, default="", info={"audit": False})
    # The photos the shop shows, in order, as `queries.photos.gallery` writes them: a shelf of
    # twenty-four needs no further question. `ProductPhoto` rows are what holds.
    gallery: Mapped[list[Any]] = mapped_column(default=list, info=DERIVED)

    supplier: Mapped[Supplier] = related()
    category: Mapped[Category] = related()
    packs: Mapped[list[Pack]] = related(back_populates="product", order_by="Pack.position")
    photos: Mapped[list[ProductPhoto]] = related(order_by="ProductPhoto.position")

    def offered_on(self, day: date) -> bool:
        """Whether it may be ordered that day; `queries.offered` says the same in SQL."""
        return (
            self.state is ProductState.ON_SALE
            and (self.sold_from is None or self.sold_from <= day)
            and (self.sold_to is None or day <= self.sold_to)
        )


class MandatedProduct(Made, Model):
    """受托产品: what a supplier sells under a mandate of whoever grew or made it. Written once; a
    later mandate for the same goods is another row."""

    __tablename__ = "mandated_products"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("mandate_id", "product_id"),)

    mandate_id: Mapped[int] = mapped_column(sa.ForeignKey("mandates.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)

    mandate: Mapped[Mandate] = related()
    product: Mapped[Product] = related()


class Shelf(Labelled):
    """Who a pack is offered to."""

    CITIZENS = "citizens"
    CANTEENS = "canteens"


class Pack(Made, Model):
    """One way a product is sold: a box of 10 kg for citizens, or by the kilogram for canteens.

    `content` is base units per pack and never changes: another size is another pack. A citizens'
    pack has `price` (per pack); a canteens' pack has `unit_price` (per kg or piece) and is ordered
    in any quantity that is a multiple of `content`. `steps` are the tiers (阶梯价) of that price:
    [[from so many base units, fen per pack or hundredths of a fen per kg], …], ascending.
    """

    __tablename__ = "packs"
    __table_args__ = (
        sa.CheckConstraint("content > 0", name="content_positive"),
        sa.CheckConstraint(
            "(shelf = 'citizens') = (price IS NOT NULL) "
            "AND (shelf = 'canteens') = (unit_price IS NOT NULL)",
            name="one_price",
        ),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    shelf: Mapped[Shelf]
    grade: Mapped[Grade]
    name_zh: Mapped[str] = mapped_column(sa.String(40))
    name_en: Mapped[str] = mapped_column(sa.String(60))
    note_zh: Mapped[str] = mapped_column(sa.String(60), default="")
    note_en: Mapped[str] = mapped_column(sa.String(80), default="")
    content: Mapped[int]
    price: Mapped[Money | None]
    unit_price: Mapped[Price | None]
    most_per_order: Mapped[int] = mapped_column(default=20)
    position: Mapped[int] = mapped_column(default=0)
    on_sale: Mapped[bool] = mapped_column(default=True)
    # Grams with box and ice, for freight; empty until somebody has weighed one.
    gross_g: Mapped[int | None] = mapped_column(info=added(None))
    steps: Mapped[list[Any]] = mapped_column(default=list, info=added([]))
    # So many for each citizen within so many days, however many orders; none is no limit.
    most_per_buyer: Mapped[int | None] = mapped_column(info=added(None))
    limit_days: Mapped[int | None] = mapped_column(info=added(None))

    product: Mapped[Product] = related(back_populates="packs")


class ProductPhoto(Made, Model):
    """A photo of a product. `position` counts from 0 among those the shop shows; a photo that was
    not admitted yet, or was taken away, has none."""

    __tablename__ = "product_photos"
    __table_args__ = (sa.UniqueConstraint("product_id", "position"),)

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    picture_id: Mapped[int] = mapped_column(sa.ForeignKey("pictures.id"))
    position: Mapped[int | None]
    alt_zh: Mapped[str] = mapped_column(sa.String(80), default="")
    alt_en: Mapped[str] = mapped_column(sa.String(120), default="")

    picture: Mapped[Picture] = related()


class VersionState(Labelled):
    DRAFT = "draft"
    WAITING = "waiting"
    ADMITTED = "admitted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class RejectReason(Labelled):
    """Why the operator returns a product (domain.md §2.1)."""

    QUALIFICATION_MISSING = "qualification_missing"
    ORIGIN_WRONG = "origin_wrong"
    PRICE_ABNORMAL = "price_abnormal"
    PICTURE_MISMATCH = "picture_mismatch"
    LINKAGE_MISSING = "linkage_missing"


OPEN_VERSIONS = "state IN ('draft', 'waiting')"


class ProductVersion(Made, Model):
    """How a product is to be described and packed, as its cooperative proposes it. The shop shows
    what was admitted last; at most one version of a product is open at a time.

    `content` has the fields of `rules.versions.Content`; `before` is what it was compared with when
    the operator decided.
    """

    __tablename__ = "product_versions"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "number"),
        sa.Index(
            "ix_product_versions_open",
            "product_id",
            unique=True,
            sqlite_where=sa.text(OPEN_VERSIONS),
            postgresql_where=sa.text(OPEN_VERSIONS),
        ),
        sa.Index("ix_product_versions_state", "state", "submitted_at"),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    number: Mapped[int]
    state: Mapped[VersionState]
    content: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any] | None]
    # Rises with every save; a form that was opened before somebody else's save is told so.
    edition: Mapped[int] = mapped_column(default=1)
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reject_reasons: Mapped[list[Any]] = mapped_column(default=list)
    remark: Mapped[str] = mapped_column(sa.String(300), default="")

    product: Mapped[Product] = related()

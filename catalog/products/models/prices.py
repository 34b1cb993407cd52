"""What goods cost: purchase prices, changes of a pack's price, agreed lists, prices elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.products.models.goods import Grade, Pack
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.people import Organisation


class PurchasePrice(Made, Model):
    """收购价: what a cooperative pays a household per kg, published with its resolution."""

    __tablename__ = "purchase_prices"
    __table_args__ = (sa.UniqueConstraint("product_id", "grade", "valid_from"),)

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    grade: Mapped[Grade]
    price: Mapped[Price]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    resolution: Mapped[str] = mapped_column(sa.String(60))


class PackPrice(Made, Model):
    """One change of a pack's own price: what it was and what it is since. Written once."""

    __tablename__ = "pack_prices"
    __append_only__ = True

    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"), index=True)
    since: Mapped[date]
    price: Mapped[Money | None]
    price_was: Mapped[Money | None]
    unit_price: Mapped[Price | None]
    unit_price_was: Mapped[Price | None]
    steps: Mapped[list[Any]]


class Audience(Labelled):
    """Kinds of buyer a price list may be for; the values are those of the kinds of units."""

    UNIT = "unit"
    OFFICE = "office"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    INSTITUTION = "institution"


class PriceList(Made, Model):
    """协议价: what one supplier agreed with one organisation, or offers one kind of unit, from one
    day to another, both counted in. For the same buyers no two overlap; the database refuses it."""

    __tablename__ = "price_lists"
    __table_args__ = (
        sa.CheckConstraint("(organisation_id IS NULL) <> (audience IS NULL)", name="addressee"),
        sa.CheckConstraint("valid_to >= valid_from", name="validity"),
        sa.Index("ix_price_lists_supplier_id", "supplier_id", "valid_from"),
    )

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    agreement: Mapped[str] = mapped_column(sa.String(60), default="")
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisations.id"), index=True
    )
    audience: Mapped[Audience | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date]

    organisation: Mapped[Organisation | None] = related()
    prices: Mapped[list[ListPrice]] = related(order_by="ListPrice.id")


class ListPrice(Made, Model):
    """The price of one canteens' pack in one list, with its tiers as in `Pack.steps`."""

    __tablename__ = "list_prices"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("price_list_id", "pack_id"),
        sa.CheckConstraint("unit_price > 0", name="price_positive"),
    )

    price_list_id: Mapped[int] = mapped_column(sa.ForeignKey("price_lists.id"))
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"), index=True)
    unit_price: Mapped[Price]
    steps: Mapped[list[Any]]

    pack: Mapped[Pack] = related()


class ReferenceSource(Labelled):
    """Where a price to compare with was seen (report 11 of domain.md §7)."""

    WHOLESALE = "wholesale"
    SUPERMARKET = "supermarket"
    NEIGHBOURS = "neighbours"


class ReferencePrice(Made, Model):
    """What the same thing cost elsewhere on one day, per kg or piece. Written once; a mistake is
    corrected by a newer row of the same source and place."""

    __tablename__ = "reference_prices"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint(
            "product_id",
            "source",
            "place",
            "seen_on",
            "unit_price",
            name="uq_reference_prices_seen",
        ),
        sa.CheckConstraint("unit_price > 0", name="price_positive"),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    source: Mapped[ReferenceSource]
    place: Mapped[str] = mapped_column(sa.String(60))
    unit_price: Mapped[Price]
    seen_on: Mapped[date]


class PriceMeasure(Made, Model):
    """处理: what was done about a price that stands out, in words. Written once."""

    __tablename__ = "price_measures"
    __append_only__ = True

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    text: Mapped[str] = mapped_column(sa.String(200))

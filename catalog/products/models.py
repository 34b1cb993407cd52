"""Products, packs, prices and what cooperatives pay households for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models import Supplier
from kernel.db import JOINED_LATER, Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.quantities import BaseUnit


class Category(Model):
    __tablename__ = "categories"

    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(sa.String(40))
    name_en: Mapped[str] = mapped_column(sa.String(60))
    position: Mapped[int]


class ProductState(Labelled):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"


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
    fresh: Mapped[bool]
    needs_certificate: Mapped[bool]
    shelf_life_days: Mapped[int]
    # Harvest and store seasons as [[from month-day, to month-day], …], e.g. [["10-10","12-20"]].
    harvest: Mapped[list[Any]]
    stored: Mapped[list[Any]]
    most_yield_kg_per_mu: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(sa.Text, default="", info={"audit": False})

    supplier: Mapped[Supplier] = related()
    category: Mapped[Category] = related()
    packs: Mapped[list[Pack]] = related(back_populates="product", order_by="Pack.position")


class Shelf(Labelled):
    """Who a pack is offered to."""

    CITIZENS = "citizens"
    CANTEENS = "canteens"


class Pack(Made, Model):
    """One way a product is sold: a box of 10 kg for citizens, or by the kilogram for canteens.

    `content` is base units per pack. A citizens' pack has `price` (per pack); a canteens' pack has
    `unit_price` (per kg or piece) and is ordered in any quantity that is a multiple of `content`.
    `gross_g` is grams with box and ice, for freight; empty until somebody has weighed one.
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
    gross_g: Mapped[int | None] = mapped_column(info=JOINED_LATER)

    product: Mapped[Product] = related(back_populates="packs")


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

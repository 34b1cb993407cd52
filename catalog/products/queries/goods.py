"""Products, packs and purchase prices, read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.products import rules
from catalog.products.models import (
    Category,
    Grade,
    Pack,
    Product,
    ProductPhoto,
    ProductState,
    PurchasePrice,
)
from catalog.suppliers.models import Supplier
from kernel.errors import Missing, Text


def offered(day: date | sa.BindParameter[date]) -> sa.ColumnElement[bool]:
    """SQL: the product may be ordered that day; `Product.offered_on` says the same of a row."""
    return sa.and_(
        Product.state == ProductState.ON_SALE,
        sa.or_(Product.sold_from.is_(None), Product.sold_from <= day),
        sa.or_(Product.sold_to.is_(None), Product.sold_to >= day),
    )


def categories(session: Session) -> list[Category]:
    """In the order of the shelves."""
    return list(session.scalars(sa.select(Category).order_by(Category.position, Category.id)))


def category_by_slug(session: Session, slug: str) -> Category:
    found = session.scalar(sa.select(Category).where(Category.slug == slug))
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def product_of(session: Session, supplier_id: int, product_id: int) -> Product:
    """This supplier's product, or Missing."""
    found = session.scalar(
        sa.select(Product).where(Product.id == product_id, Product.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def product_sheet_of(session: Session, supplier_id: int | None, product_id: int) -> Product:
    """A product with everything its editor shows; of this supplier, or of any for the operator."""
    theirs = sa.true() if supplier_id is None else Product.supplier_id == supplier_id
    found = session.scalar(
        sa.select(Product)
        .options(
            selectinload(Product.packs),
            selectinload(Product.photos).joinedload(ProductPhoto.picture),
            joinedload(Product.category),
            joinedload(Product.supplier).joinedload(Supplier.organisation),
        )
        .where(Product.id == product_id, theirs)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def product_by_code(session: Session, supplier_id: int, code: str) -> Product:
    """This supplier's product, or Missing."""
    found = session.scalar(
        sa.select(Product).where(Product.supplier_id == supplier_id, Product.code == code)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def products_with_packs(session: Session, supplier_id: int) -> list[Product]:
    """The same with their packs and categories, for the list of a cooperative."""
    return list(
        session.scalars(
            sa.select(Product)
            .where(Product.supplier_id == supplier_id)
            .options(selectinload(Product.packs), joinedload(Product.category))
            .order_by(Product.position, Product.id)
        )
    )


def all_products(session: Session, *, limit: int = 500) -> list[Product]:
    """For the operator: every product that was ever submitted, by supplier."""
    return list(
        session.scalars(
            sa.select(Product)
            .where(Product.state != ProductState.DRAFT)
            .options(joinedload(Product.supplier).joinedload(Supplier.organisation))
            .order_by(Product.supplier_id, Product.position, Product.id)
            .limit(limit)
        )
    )


def products_of(session: Session, supplier_id: int) -> list[Product]:
    """All of a supplier's products, in the order of its shelf."""
    return list(
        session.scalars(
            sa.select(Product)
            .where(Product.supplier_id == supplier_id)
            .order_by(Product.position, Product.id)
        )
    )


def packs_of_supplier(session: Session, supplier_id: int) -> list[Pack]:
    """Every pack on sale of this supplier with its product, in the order of its shelf."""
    return list(
        session.scalars(
            sa.select(Pack)
            .join(Pack.product)
            .where(Product.supplier_id == supplier_id, Pack.on_sale.is_(True))
            .order_by(Product.position, Product.id, Pack.position, Pack.id)
            .options(joinedload(Pack.product))
        )
    )


def on_sale_of(session: Session, supplier_ids: Sequence[int]) -> list[Product]:
    return list(
        session.scalars(
            sa.select(Product)
            .where(Product.supplier_id.in_(supplier_ids), Product.state == ProductState.ON_SALE)
            .order_by(Product.id)
        )
    )


def product_with_packs(session: Session, slug: str) -> Product:
    """A product with its packs, category, supplier and the supplier's organisation; or Missing."""
    found = session.scalar(
        sa.select(Product)
        .options(
            selectinload(Product.packs),
            joinedload(Product.category),
            joinedload(Product.supplier).joinedload(Supplier.organisation),
        )
        .where(
            Product.slug == slug, Product.state.in_((ProductState.ON_SALE, ProductState.OFF_SALE))
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def purchase_price_on(
    session: Session, product_id: int, grade: Grade, day: date
) -> PurchasePrice | None:
    """The published price of that day, if there is one."""
    return session.scalar(
        sa.select(PurchasePrice).where(
            PurchasePrice.product_id == product_id,
            PurchasePrice.grade == grade,
            PurchasePrice.valid_from <= day,
            sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= day),
        )
    )


def purchase_prices_on(
    session: Session, supplier_id: int, day: date
) -> list[tuple[Product, PurchasePrice]]:
    """Everything this supplier buys that day, in the order of its shelf."""
    return [
        (product, price)
        for product, price in session.execute(
            sa.select(Product, PurchasePrice)
            .join(PurchasePrice, PurchasePrice.product_id == Product.id)
            .where(
                Product.supplier_id == supplier_id,
                PurchasePrice.valid_from <= day,
                sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= day),
            )
            .order_by(Product.position, Product.id, PurchasePrice.grade)
        )
    ]


def price_history(
    session: Session, supplier_id: int, *, limit: int = 60
) -> list[tuple[Product, PurchasePrice]]:
    """Published purchase prices of this supplier's products, newest first."""
    return [
        (product, price)
        for product, price in session.execute(
            sa.select(Product, PurchasePrice)
            .join(PurchasePrice, PurchasePrice.product_id == Product.id)
            .where(Product.supplier_id == supplier_id)
            .order_by(PurchasePrice.valid_from.desc(), PurchasePrice.id.desc())
            .limit(limit)
        )
    ]


def matching(session: Session, text: str) -> sa.ColumnElement[bool]:
    """SQL: the product is found by this text. The same answer on both databases (stack.md §5)."""
    asked = asked_for(session, text)
    return sa.false() if asked is None else matches(dialect_of(session), asked)


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


def asked_for(session: Session, text: str) -> str | None:
    """The text as this database is asked for it; None when nothing can be searched."""
    if dialect_of(session) == "postgresql":
        return rules.tsquery(text)
    return rules.fts5_query(text)


def matches(dialect: str, asked: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """SQL: the product is found by what `asked_for` made of a text."""
    if dialect == "postgresql":
        return sa.func.to_tsvector(sa.literal_column("'simple'"), Product.search_text).op("@@")(
            sa.func.to_tsquery(sa.literal_column("'simple'"), asked)
        )
    found = sa.select(sa.column("rowid", sa.Integer)).select_from(sa.text("product_search"))
    return Product.id.in_(found.where(sa.column("product_search").op("MATCH")(asked)))

"""Products and packs are described, offered, withdrawn; purchase prices are published."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products import queries, rules
from catalog.products.models import (
    Category,
    Grade,
    Pack,
    Product,
    ProductState,
    PurchasePrice,
    Shelf,
)
from catalog.suppliers.models import Supplier, SupplierState
from catalog.suppliers.queries import lapsed_kinds
from catalog.suppliers.rules import stops
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.periods import business_day
from kernel.quantities import BaseUnit
from kernel.text import tidy


def add_category(
    session: Session,
    *,
    slug: str,
    name_zh: str,
    name_en: str,
    position: int,
    by: Actor,
    now: datetime,
) -> Category:
    """A shelf of the shop. The same slug again changes nothing."""
    known = session.scalar(sa.select(Category).where(Category.slug == slug))
    if known is not None:
        return known
    category = Category(slug=slug, name_zh=name_zh, name_en=name_en, position=position)
    session.add(category)
    session.flush()  # so that products can point to category.id
    audit.note(session, "add_category", f"category:{category.id}", by=by, now=now, slug=slug)
    return category


def create_product(
    session: Session,
    *,
    supplier_id: int,
    category_id: int,
    code: str,
    slug: str,
    name_zh: str,
    name_en: str,
    summary_zh: str,
    summary_en: str,
    story_zh: str = "",
    story_en: str = "",
    storage_zh: str = "",
    storage_en: str = "",
    illustration: str = "mark",
    position: int = 100,
    base_unit: BaseUnit = BaseUnit.GRAM,
    fresh: bool = True,
    needs_certificate: bool = True,
    shelf_life_days: int,
    harvest: list[list[str]] | None = None,
    stored: list[list[str]] | None = None,
    most_yield_kg_per_mu: int | None = None,
    by: Actor,
    now: datetime,
) -> Product:
    """A draft that can be found by its names, category and words as soon as it is on sale."""
    supplier = get_or_missing(session, Supplier, supplier_id)
    category = get_or_missing(session, Category, category_id)
    if shelf_life_days < 1:
        raise Invalid({"shelf_life_days": Text("Enter at least one day.")})
    taken = sa.select(Product.id).where(sa.or_(Product.code == code, Product.slug == slug))
    if session.scalar(taken) is not None:
        raise Refusal("A product with this code or address exists already.")
    product = Product(
        supplier_id=supplier.id,
        category_id=category.id,
        code=code,
        slug=slug,
        name_zh=name_zh,
        name_en=name_en,
        summary_zh=summary_zh,
        summary_en=summary_en,
        story_zh=story_zh,
        story_en=story_en,
        storage_zh=storage_zh,
        storage_en=storage_en,
        illustration=illustration,
        position=position,
        base_unit=base_unit,
        state=ProductState.DRAFT,
        fresh=fresh,
        needs_certificate=needs_certificate,
        shelf_life_days=shelf_life_days,
        harvest=harvest or [],
        stored=stored or [],
        most_yield_kg_per_mu=most_yield_kg_per_mu,
        search_text=rules.search_text(
            (category.name_en, name_en, summary_zh, summary_en), (name_zh, category.name_zh)
        ),
        **stamp(by, now),
    )
    session.add(product)
    session.flush()  # so that packs can point to product.id
    audit.note(session, "create_product", f"product:{product.id}", by=by, now=now, code=code)
    return product


def describe_product(
    session: Session,
    product_id: int,
    *,
    category_id: int,
    name_zh: str,
    name_en: str,
    summary_zh: str,
    summary_en: str,
    storage_zh: str,
    storage_en: str,
    fresh: bool,
    needs_certificate: bool,
    shelf_life_days: int,
    harvest: list[list[str]],
    most_yield_kg_per_mu: int | None,
    by: Actor,
    now: datetime,
) -> Product:
    """Its words and habits change; code, unit, state and packs stay. Found by its new names, and
    by the villages it was found by before. The same again changes nothing."""
    product = get_or_missing(session, Product, product_id, lock=True)
    before = get_or_missing(session, Category, product.category_id)
    category = get_or_missing(session, Category, category_id)
    if shelf_life_days < 1:
        raise Invalid({"shelf_life_days": Text("Enter at least one day.")})
    learnt = product.search_text.removeprefix(_found_by(product, before))
    product.category_id = category.id
    product.name_zh, product.name_en = name_zh, name_en
    product.summary_zh, product.summary_en = summary_zh, summary_en
    product.storage_zh, product.storage_en = storage_zh, storage_en
    product.fresh, product.needs_certificate = fresh, needs_certificate
    product.shelf_life_days = shelf_life_days
    product.harvest = harvest
    product.most_yield_kg_per_mu = most_yield_kg_per_mu
    product.search_text = _found_by(product, category) + learnt
    audit.note(session, "describe_product", f"product:{product.id}", by=by, now=now)
    return product


def _found_by(product: Product, category: Category) -> str:
    """What it is found by, before any village is learnt."""
    return rules.search_text(
        (category.name_en, product.name_en, product.summary_zh, product.summary_en),
        (product.name_zh, category.name_zh),
    )


def learn_villages(session: Session, product_id: int, names: Iterable[str]) -> None:
    """From now on the product is also found by these villages. Derived, so not audited."""
    known = session.scalar(sa.select(Product.search_text).where(Product.id == product_id)) or ""
    bordered = f" {rules.BORDER} {known} {rules.BORDER} "
    fresh = [
        words
        for words in (rules.village_words([name]) for name in sorted(set(names)))
        if f" {rules.BORDER} {words} {rules.BORDER} " not in bordered
    ]
    if fresh:
        session.execute(
            sa.update(Product)
            .where(Product.id == product_id)
            .values(search_text=f" {rules.BORDER} ".join([known, *fresh]))
            .execution_options(synchronize_session="fetch")
        )


def add_pack(
    session: Session,
    product_id: int,
    *,
    shelf: Shelf,
    grade: Grade,
    name_zh: str,
    name_en: str,
    content: int,
    price: Money | None = None,
    unit_price: Price | None = None,
    note_zh: str = "",
    note_en: str = "",
    most_per_order: int = 20,
    position: int = 0,
    by: Actor,
    now: datetime,
) -> Pack:
    """One way to buy the product: per pack for citizens, per kg or piece for canteens."""
    product = get_or_missing(session, Product, product_id, lock=True)
    if content <= 0:
        raise Invalid({"content": Text("A pack holds something.")})
    asked = price if shelf is Shelf.CITIZENS else unit_price
    spare = unit_price if shelf is Shelf.CITIZENS else price
    if asked is None or spare is not None:
        raise Invalid({"price": Text("Citizens pay per pack, canteens per kilogram or piece.")})
    pack = Pack(
        product_id=product.id,
        shelf=shelf,
        grade=grade,
        name_zh=name_zh,
        name_en=name_en,
        note_zh=note_zh,
        note_en=note_en,
        content=content,
        price=price,
        unit_price=unit_price,
        most_per_order=most_per_order,
        position=position,
        **stamp(by, now),
    )
    session.add(pack)
    session.flush()  # so that baskets can point to pack.id
    audit.note(session, "add_pack", f"product:{product.id}", by=by, now=now, pack=pack.id)
    return pack


def put_on_sale(session: Session, product_id: int, *, by: Actor, now: datetime) -> Product:
    """Everybody can buy it from now on. Refused with all reasons at once; twice changes nothing."""
    product = session.scalar(
        sa.select(Product)
        .options(joinedload(Product.supplier))
        .where(Product.id == product_id)
        .with_for_update(key_share=True, of=Product)
        .execution_options(populate_existing=True)
    ) or get_or_missing(session, Product, product_id)
    if product.state is ProductState.ON_SALE:
        return product
    if reasons := _reasons_against(session, product, business_day(now)):
        raise Refusal(
            Text("%(product)s cannot be put on sale yet.", product=product.name_zh), tuple(reasons)
        )
    product.state = ProductState.ON_SALE
    product.state_reason = ""
    audit.note(session, "put_on_sale", f"product:{product.id}", by=by, now=now)
    return product


def _reasons_against(session: Session, product: Product, today: date) -> list[Text]:
    reasons = []
    if product.supplier.state is not SupplierState.ADMITTED:
        reasons.append(Text("Its supplier is not admitted."))
    packs = sa.select(Pack.id).where(Pack.product_id == product.id, Pack.on_sale).limit(1)
    if session.scalar(packs) is None:
        reasons.append(Text("It has no pack with a price."))
    if stops(lapsed_kinds(session, today).get(product.supplier_id, ()), fresh=product.fresh):
        reasons.append(Text("A certificate of its supplier has expired."))
    return reasons


def take_off_sale(
    session: Session, product_id: int, *, reason: str, by: Actor, now: datetime
) -> Product:
    """Nobody can order it any more; what was ordered stays ordered. Twice changes nothing."""
    product = get_or_missing(session, Product, product_id, lock=True)
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why.")})
    if product.state is not ProductState.OFF_SALE:
        product.state = ProductState.OFF_SALE
        product.state_reason = tidy(reason)
    audit.note(
        session, "take_off_sale", f"product:{product.id}", by=by, now=now, reason=tidy(reason)
    )
    return product


def take_off_lapsed(session: Session, *, by: Actor, now: datetime) -> list[Product]:
    """Products whose supplier's certificate ran out go off sale (G24); returns them, by id."""
    lapsed = lapsed_kinds(session, business_day(now))
    taken = []
    for product in queries.on_sale_of(session, list(lapsed)):
        if stops(lapsed[product.supplier_id], fresh=product.fresh):
            take_off_sale(session, product.id, reason="证照到期", by=by, now=now)
            taken.append(product)
    return taken


def publish_purchase_price(
    session: Session,
    product_id: int,
    *,
    grade: Grade,
    price: Price,
    valid_from: date,
    resolution: str,
    by: Actor,
    now: datetime,
) -> PurchasePrice:
    """What households are paid from that day, by resolution (domain.md §4.5).

    The price before it ends the day before. The same publication again changes nothing.
    """
    product = get_or_missing(session, Product, product_id, lock=True)
    _check_price(price, tidy(resolution))
    last = session.scalar(
        sa.select(PurchasePrice)
        .where(PurchasePrice.product_id == product.id, PurchasePrice.grade == grade)
        .order_by(PurchasePrice.valid_from.desc())
        .limit(1)
    )
    if last is not None:
        if (last.valid_from, last.price, last.resolution) == (valid_from, price, tidy(resolution)):
            return last
        if valid_from <= last.valid_from:
            raise Invalid(
                {
                    "valid_from": Text(
                        "A price from %(day)s is published already; choose a later day.",
                        day=last.valid_from,
                    )
                }
            )
        last.valid_to = valid_from - timedelta(days=1)
    published = PurchasePrice(
        product_id=product.id,
        grade=grade,
        price=price,
        valid_from=valid_from,
        resolution=tidy(resolution),
        **stamp(by, now),
    )
    session.add(published)
    session.flush()  # so that slips can point to the price's id
    audit.note(
        session,
        "publish_purchase_price",
        f"product:{product.id}",
        by=by,
        now=now,
        price=published.id,
    )
    return published


def _check_price(price: Price, resolution: str) -> None:
    errors = {}
    if price.per_unit <= 0:
        errors["price"] = Text("Enter a price above zero.")
    if not resolution:
        errors["resolution"] = Text("Enter the number of the resolution.")
    if errors:
        raise Invalid(errors)

"""Categories, products and packs come into being."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products import rules
from catalog.products.models import Category, Grade, Pack, Product, ProductState, Shelf
from catalog.products.rules.pricing import step_problem
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.quantities import BaseUnit


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
        search_text=words_of(category, name_zh, name_en, summary_zh, summary_en),
        **stamp(by, now),
    )
    session.add(product)
    session.flush()  # so that packs can point to product.id
    audit.note(session, "create_product", f"product:{product.id}", by=by, now=now, code=code)
    return product


def words_of(
    category: Category, name_zh: str, name_en: str, summary_zh: str, summary_en: str
) -> str:
    """What a product is found by before its goods come in."""
    return rules.search_text(
        (category.name_en, name_en, summary_zh, summary_en), (name_zh, category.name_zh)
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


def relearn_villages(session: Session, product_id: int, names: Iterable[str]) -> None:
    """The product is found by these villages and by none it was taught before."""
    product = session.get_one(Product, product_id)
    category = session.get_one(Category, product.category_id)
    product.search_text = words_of(
        category, product.name_zh, product.name_en, product.summary_zh, product.summary_en
    )
    session.flush()
    learn_villages(session, product_id, names)


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
    steps: Sequence[tuple[int, int]] = (),
    by: Actor,
    now: datetime,
) -> Pack:
    """One way to buy the product: per pack for citizens, per kg or piece for canteens; `steps` are
    its tiers, as in `Pack.steps`."""
    product = get_or_missing(session, Product, product_id, lock=True)
    if content <= 0:
        raise Invalid({"content": Text("A pack holds something.")})
    asked = price if shelf is Shelf.CITIZENS else unit_price
    spare = unit_price if shelf is Shelf.CITIZENS else price
    if asked is None or spare is not None:
        raise Invalid({"price": Text("Citizens pay per pack, canteens per kilogram or piece.")})
    base = price.fen if price is not None else asked.per_unit if isinstance(asked, Price) else 0
    if problem := step_problem(base, steps, content):
        raise Invalid({"steps": problem})
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
        steps=[list(each) for each in steps],
        **stamp(by, now),
    )
    session.add(pack)
    session.flush()  # so that baskets can point to pack.id
    audit.note(session, "add_pack", f"product:{product.id}", by=by, now=now, pack=pack.id)
    return pack

"""Products come on sale, leave it with a reason, and end (domain.md §2.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products import queries
from catalog.products.models import (
    OffReason,
    Pack,
    Product,
    ProductState,
    VersionState,
)
from catalog.products.operations.letters import tell_of_taking
from catalog.products.rules.offering import OWN_REASONS, may_move
from catalog.suppliers.models import SupplierState
from catalog.suppliers.queries import lapsed_kinds
from catalog.suppliers.rules import stops
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy


def put_on_sale(session: Session, product_id: int, *, by: Actor, now: datetime) -> Product:
    """Everybody can buy it from now on. Refused with all reasons at once; twice changes nothing."""
    product = locked(session, product_id)
    if product.state is ProductState.ON_SALE:
        return product
    show_in_shop(session, product, business_day(now))
    audit.note(session, "put_on_sale", f"product:{product.id}", by=by, now=now)
    return product


def resume_sale(session: Session, product_id: int, *, by: Actor, now: datetime) -> Product:
    """The cooperative brings back what it took off itself, or what a certificate had stopped.

    What the operator stopped for a broken rule only the operator brings back.
    """
    product = locked(session, product_id)
    if product.state is ProductState.ON_SALE:
        return product
    if product.state is not ProductState.OFF_SALE or product.off_reason is OffReason.RULE_BROKEN:
        raise Refusal(
            "%(product)s can only be put on sale by the operator.", product=product.name_zh
        )
    return put_on_sale(session, product_id, by=by, now=now)


def locked(session: Session, product_id: int) -> Product:
    """The product with its supplier, read fresh; nobody else changes it meanwhile."""
    return session.scalar(
        sa.select(Product)
        .options(joinedload(Product.supplier))
        .where(Product.id == product_id)
        .with_for_update(key_share=True, of=Product)
        .execution_options(populate_existing=True)
    ) or get_or_missing(session, Product, product_id)


def show_in_shop(session: Session, product: Product, today: date) -> None:
    """On sale from now on, or a Refusal with every reason against it; `product` is locked."""
    if reasons := reasons_against(session, product, today):
        raise Refusal(
            Text("%(product)s cannot be put on sale yet.", product=product.name_zh), tuple(reasons)
        )
    product.state = ProductState.ON_SALE
    product.state_reason = ""
    product.off_reason = None


def reasons_against(session: Session, product: Product, today: date) -> list[Text]:
    """Everything that keeps the product from being sold today."""
    reasons = []
    if not may_move(product.state.value, ProductState.ON_SALE.value):
        reasons.append(Text("It ended; what is sold again is a new product."))
    if product.supplier.state is not SupplierState.ADMITTED:
        reasons.append(Text("Its supplier is not admitted."))
    packs = sa.select(Pack.id).where(Pack.product_id == product.id, Pack.on_sale).limit(1)
    if session.scalar(packs) is None:
        reasons.append(Text("It has no pack with a price."))
    if stops(lapsed_kinds(session, today).get(product.supplier_id, ()), fresh=product.fresh):
        reasons.append(Text("A certificate of its supplier has expired."))
    if queries.without_mandate(session, today, product_ids=[product.id]):
        reasons.append(Text("No mandate to sell it for whoever grew it holds today."))
    return reasons


def take_off_sale(
    session: Session,
    product_id: int,
    *,
    reason: str,
    why: OffReason = OffReason.OWN_WISH,
    by: Actor,
    now: datetime,
) -> Product:
    """Nobody can order it any more; what was ordered stays ordered. Twice changes nothing, but a
    reason of the operator or of a certificate comes before one of the cooperative."""
    product = get_or_missing(session, Product, product_id, lock=True)
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why.")})
    if product.state not in (ProductState.ON_SALE, ProductState.OFF_SALE):
        raise Refusal("%(product)s is not on sale.", product=product.name_zh)
    weightier = why.value not in OWN_REASONS and product.off_reason is not OffReason.RULE_BROKEN
    if product.state is ProductState.ON_SALE or weightier:
        product.state = ProductState.OFF_SALE
        product.state_reason = tidy(reason)[:200]
        product.off_reason = why
    audit.note(
        session, "take_off_sale", f"product:{product.id}", by=by, now=now,
        reason=tidy(reason), why=why,
    )  # fmt: skip
    return product


def take_off_lapsed(session: Session, *, by: Actor, now: datetime) -> list[Product]:
    """Products whose supplier's certificate (G24) or mandate ran out go off sale, and those
    concerned get a letter; returns the products, by id."""
    today = business_day(now)
    lapsed = lapsed_kinds(session, today)
    papers = [
        product
        for product in queries.on_sale_of(session, list(lapsed))
        if stops(lapsed[product.supplier_id], fresh=product.fresh)
    ]
    stopped = queries.without_mandate(session, today) - {each.id for each in papers}
    mandates = [get_or_missing(session, Product, key) for key in sorted(stopped)]
    for why, reason, taken in (
        (OffReason.CERTIFICATE, "证照到期", papers),
        (OffReason.MANDATE, "销售委托到期或终止", mandates),
    ):
        for product in taken:
            take_off_sale(session, product.id, reason=reason, why=why, by=by, now=now)
        tell_of_taking(session, taken, why, by=by, now=now)
    return sorted([*papers, *mandates], key=lambda product: product.id)


def take_off_all(
    session: Session, supplier_id: int, *, reason: str, by: Actor, now: datetime
) -> list[Product]:
    """Everything this supplier has on sale goes off, because it may not sell, and what others sell
    for it; it gets a letter. Returns its own goods, by id."""
    taken = queries.on_sale_of(session, [supplier_id])
    for product in taken:
        take_off_sale(session, product.id, reason=reason, why=OffReason.RULE_BROKEN, by=by, now=now)
    tell_of_taking(session, taken, OffReason.RULE_BROKEN, by=by, now=now)
    take_off_lapsed(session, by=by, now=now)
    return taken


def end_product(session: Session, product_id: int, *, by: Actor, now: datetime) -> Product:
    """停售: it is never sold again. Its page and its codes stay for what was bought before."""
    product = get_or_missing(session, Product, product_id, lock=True)
    if product.state is ProductState.ENDED:
        return product
    if not may_move(product.state.value, ProductState.ENDED.value):
        raise Refusal("Take %(product)s off sale first.", product=product.name_zh)
    if (version := queries.open_version(session, product.id)) is not None:
        version.state = VersionState.WITHDRAWN
    product.state = ProductState.ENDED
    audit.note(session, "end_product", f"product:{product.id}", by=by, now=now)
    return product


def retire_pack(session: Session, pack_id: int, *, by: Actor, now: datetime) -> Pack:
    """Nobody can order this pack any more. The last pack of a product on sale stays: whoever wants
    nothing sold takes the product off sale, with the reason."""
    pack = get_or_missing(session, Pack, pack_id)
    product = get_or_missing(session, Product, pack.product_id, lock=True)
    others = session.scalar(
        sa.select(Pack.id)
        .where(Pack.product_id == product.id, Pack.on_sale, Pack.id != pack.id)
        .limit(1)
    )
    if pack.on_sale and others is None and product.state is ProductState.ON_SALE:
        raise Refusal("It is the only pack; take the product off sale instead.")
    pack.on_sale = False
    audit.note(session, "retire_pack", f"product:{product.id}", by=by, now=now, pack=pack.id)
    return pack


def offer_pack_again(session: Session, pack_id: int, *, by: Actor, now: datetime) -> Pack:
    """A retired pack can be ordered again at the price it had."""
    pack = get_or_missing(session, Pack, pack_id)
    product = get_or_missing(session, Product, pack.product_id, lock=True)
    pack.on_sale = True
    audit.note(session, "offer_pack_again", f"product:{product.id}", by=by, now=now, pack=pack.id)
    return pack

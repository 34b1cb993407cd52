"""Reads of invoices of citizens' orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.suppliers.models import Supplier
from kernel.db import sum_money
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.storage import StoredFile
from orders.payments.models import STANDING, UNDECIDED, Refund, RefundFreight, RefundLine
from orders.payments.models.invoices import InvoiceFile, InvoiceWish
from orders.sales.models import Order, OrderFreight, OrderLine

GIVEN = tuple(state for state in STANDING if state not in UNDECIDED)


def wish_of(session: Session, order_id: int) -> InvoiceWish | None:
    return session.scalar(sa.select(InvoiceWish).where(InvoiceWish.order_id == order_id))


def invoices_of(session: Session, order_id: int) -> list[InvoiceFile]:
    """Every invoice filed for an order, oldest first."""
    return list(
        session.scalars(
            sa.select(InvoiceFile).where(InvoiceFile.order_id == order_id).order_by(InvoiceFile.id)
        )
    )


def invoiced_of(session: Session, order_id: int) -> dict[int, Money]:
    """Supplier → what was invoiced of the order, red ones taken off."""
    rows = session.execute(
        sa.select(InvoiceFile.supplier_id, sum_money(InvoiceFile.amount))
        .where(InvoiceFile.order_id == order_id)
        .group_by(InvoiceFile.supplier_id)
    )
    return dict(rows.all())  # type: ignore[arg-type]


def kept_by_supplier(session: Session, order_id: int) -> dict[int, Money]:
    """Supplier → what the buyer paid it for goods and carriage and did not get back."""
    return {supplier: kept for (_, supplier), kept in _kept(session, [order_id]).items()}


def _kept(session: Session, order_ids: Collection[int]) -> dict[tuple[int, int], Money]:
    """(order, supplier) → lines and freight, less what was granted back of either."""
    goods = sa.select(OrderLine.order_id, OrderLine.supplier_id, sum_money(OrderLine.amount))
    freight = sa.select(
        OrderFreight.order_id, OrderFreight.supplier_id, sum_money(OrderFreight.amount)
    )
    back = (
        sa.select(Refund.order_id, OrderLine.supplier_id, sum_money(RefundLine.amount))
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .join(OrderLine, OrderLine.id == RefundLine.line_id)
        .where(Refund.order_id.in_(order_ids), Refund.state.in_(GIVEN))
        .group_by(Refund.order_id, OrderLine.supplier_id)
    )
    freight_back = (
        sa.select(Refund.order_id, RefundFreight.supplier_id, sum_money(RefundFreight.amount))
        .join(RefundFreight, RefundFreight.refund_id == Refund.id)
        .where(Refund.order_id.in_(order_ids), Refund.state.in_(GIVEN))
        .group_by(Refund.order_id, RefundFreight.supplier_id)
    )
    paid = (
        goods.where(OrderLine.order_id.in_(order_ids)).group_by(
            OrderLine.order_id, OrderLine.supplier_id
        ),
        freight.where(OrderFreight.order_id.in_(order_ids)).group_by(
            OrderFreight.order_id, OrderFreight.supplier_id
        ),
    )
    found: dict[tuple[int, int], Money] = {}
    for queries, sign in ((paid, 1), ((back, freight_back), -1)):
        for query in queries:
            for order_id, supplier_id, amount in session.execute(query):
                key = order_id, supplier_id
                found[key] = found.get(key, ZERO) + Money(sign * amount.fen)
    return found


def sellers_named(session: Session, supplier_ids: Collection[int]) -> list[str]:
    """Full name and credit code of each of these suppliers, as a paper names them."""
    rows = session.execute(
        sa.select(Organisation.name, Organisation.uscc)
        .join(Supplier, Supplier.organisation_id == Organisation.id)
        .where(Supplier.id.in_(supplier_ids))
        .order_by(Supplier.id)
    )
    return [f"{name} {code}" if code else name for name, code in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An invoice that a buyer waits for: what is missing of this supplier's part."""

    wish: InvoiceWish
    order: Order
    missing: Money
    filed: list[InvoiceFile]


def invoices_wanted(session: Session, supplier_id: int, *, limit: int = 200) -> list[Wanted]:
    """Orders of this supplier whose buyers want an invoice, the oldest wish first; those that are
    complete stand at the end."""
    mine = sa.select(OrderLine.order_id).where(OrderLine.supplier_id == supplier_id)
    wishes = session.scalars(
        sa.select(InvoiceWish)
        .where(InvoiceWish.order_id.in_(mine))
        .order_by(InvoiceWish.id.desc())
        .limit(limit)
        .options(joinedload(InvoiceWish.order))
    ).all()
    ids = [each.order_id for each in wishes]
    filed: dict[int, list[InvoiceFile]] = {}
    for each in session.scalars(
        sa.select(InvoiceFile)
        .where(InvoiceFile.order_id.in_(ids), InvoiceFile.supplier_id == supplier_id)
        .order_by(InvoiceFile.id)
    ):
        filed.setdefault(each.order_id, []).append(each)
    kept = _kept(session, ids)
    found = [
        Wanted(
            wish,
            wish.order,
            kept.get((wish.order_id, supplier_id), ZERO)
            - Money(sum(each.amount.fen for each in filed.get(wish.order_id, []))),
            filed.get(wish.order_id, []),
        )
        for wish in wishes
    ]
    return sorted(found, key=lambda each: (not each.missing, each.wish.id))


def invoice_file(
    session: Session,
    invoice_id: int,
    *,
    order_id: int | None = None,
    supplier_id: int | None = None,
) -> tuple[InvoiceFile, StoredFile]:
    """An invoice and its file, for the buyer of this order or for the supplier who issued it."""
    assert (order_id is None) is not (supplier_id is None)
    mine = (
        InvoiceFile.order_id == order_id
        if order_id is not None
        else InvoiceFile.supplier_id == supplier_id
    )
    found = session.scalar(
        sa.select(InvoiceFile)
        .where(InvoiceFile.id == invoice_id, mine)
        .options(joinedload(InvoiceFile.file))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found, found.file


def order_for_invoice(session: Session, order_id: int, *, supplier_id: int) -> Order:
    """An order with its lines, if some of it is this supplier's and an invoice is wanted."""
    found = session.scalar(
        sa.select(Order)
        .join(InvoiceWish, InvoiceWish.order_id == Order.id)
        .where(
            Order.id == order_id,
            Order.id.in_(sa.select(OrderLine.order_id).where(OrderLine.supplier_id == supplier_id)),
        )
        .options(selectinload(Order.lines))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found

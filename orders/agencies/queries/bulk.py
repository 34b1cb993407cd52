"""Bulk orders as their unit, their supplier and their operations see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from catalog.households.models import Household
from catalog.lots.models import Contribution, Lot
from catalog.products.models import Pack, Product, ProductState, Shelf
from catalog.suppliers.models import Supplier
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from kernel.people import User
from kernel.regions import Region
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    AcceptanceState,
    BulkOrder,
    CreditNote,
    CreditNoteLine,
    Invoice,
    OrderDraft,
    QuotaMovement,
    Stage,
    Unit,
)
from orders.payments.models import BankLine, BankMatch
from orders.sales.models import Allocation, Order, OrderLine, OrderState, Shipment, ShipmentLine

NOT_YOURS = Text("There is nothing at this address, or it is not yours.")


def lock_bulk(session: Session, order_id: int) -> tuple[Order, BulkOrder]:
    """The order and what makes it a unit's, both read fresh under the order's lock."""
    order = session.scalar(
        sa.select(Order)
        .where(Order.id == order_id)
        .options(
            joinedload(Order.supplier).joinedload(Supplier.organisation),
            joinedload(Order.organisation),
        )
        .with_for_update(of=Order, key_share=True)
        .execution_options(populate_existing=True)
    )
    bulk = session.scalar(
        sa.select(BulkOrder)
        .where(BulkOrder.order_id == order_id)
        .execution_options(populate_existing=True)
    )
    if order is None or bulk is None:
        raise Missing(NOT_YOURS)
    return order, bulk


def order_id_of_acceptance(session: Session, acceptance_id: int) -> int:
    found = session.scalar(sa.select(Acceptance.order_id).where(Acceptance.id == acceptance_id))
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def order_id_of_shipment(session: Session, shipment_id: int) -> int:
    found = session.scalar(sa.select(Shipment.order_id).where(Shipment.id == shipment_id))
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def bulk_sheet(
    session: Session,
    number: str,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
) -> BulkOrder:
    """One order by its number with everything its page shows; of this unit, or for this supplier."""
    scope = [Order.number == number.strip().upper()]
    if organisation_id is not None:
        scope.append(Order.organisation_id == organisation_id)
    if supplier_organisation_id is not None:
        scope.append(Supplier.organisation_id == supplier_organisation_id)
    found = session.scalar(
        sa.select(BulkOrder)
        .join(BulkOrder.order)
        .join(Order.supplier)
        .where(*scope)
        .options(
            joinedload(BulkOrder.unit).joinedload(Unit.organisation),
            joinedload(BulkOrder.payer),
            joinedload(BulkOrder.order).options(
                joinedload(Order.supplier).joinedload(Supplier.organisation),
                joinedload(Order.organisation),
                selectinload(Order.events),
                selectinload(Order.shipments).selectinload(Shipment.lines),
                selectinload(Order.lines).options(
                    joinedload(OrderLine.product),
                    selectinload(OrderLine.allocations).options(
                        joinedload(Allocation.lot),
                        joinedload(Allocation.household).load_only(
                            Household.id, Household.region_code
                        ),
                    ),
                ),
            ),
        )
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One order in a list."""

    order_id: int
    number: str
    unit: str
    supplier: str
    purpose: str
    stage: Stage
    state: OrderState
    placed_at: datetime
    deliver_on: date | None
    lines: int
    total: Money
    accepted: Money
    accepted_on: date | None
    due_on: date | None
    paid: Money
    credited: Money
    paid_on: date | None
    made_by_id: int | None
    made_by: str
    approved_at: datetime | None
    invoice: str | None

    @property
    def outstanding(self) -> Money:
        return self.accepted - self.paid


def rows(
    session: Session,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
    stages: Collection[Stage] | None = None,
    number: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> list[Row]:
    """Orders of one unit, or for one supplier, newest first; one query whatever the number."""
    assert organisation_id is not None or supplier_organisation_id is not None
    accepted = (
        sa.select(sum_money(Acceptance.amount))
        .where(Acceptance.order_id == Order.id, Acceptance.state == AcceptanceState.SIGNED)
        .correlate(Order)
        .scalar_subquery()
    )
    paid = (
        sa.select(sum_money(BankMatch.amount))
        .where(BankMatch.target == order_target())
        .correlate(Order)
        .scalar_subquery()
    )
    credited = (
        sa.select(sum_money(CreditNote.amount))
        .where(CreditNote.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )
    lines = (
        sa.select(sa.func.count())
        .select_from(OrderLine)
        .where(OrderLine.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )
    maker = aliased(User)
    statement = (
        sa.select(Order, BulkOrder, lines, accepted, paid, credited, Invoice.number, maker.name)
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .join(Supplier, Supplier.id == Order.supplier_id)
        .outerjoin(Invoice, Invoice.order_id == Order.id)
        .outerjoin(maker, maker.id == BulkOrder.made_by_id)
        .options(
            joinedload(Order.organisation),
            joinedload(Order.supplier).joinedload(Supplier.organisation),
        )
        .order_by(Order.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if organisation_id is not None:
        statement = statement.where(Order.organisation_id == organisation_id)
    if supplier_organisation_id is not None:
        statement = statement.where(Supplier.organisation_id == supplier_organisation_id)
    if stages is not None:
        statement = statement.where(BulkOrder.stage.in_(list(stages)))
    if number:
        statement = statement.where(Order.number == number)
    return [
        Row(
            order_id=order.id,
            number=order.number,
            unit=order.organisation.short_name if order.organisation else "",
            supplier=order.supplier.organisation.short_name if order.supplier else "",
            purpose=bulk.purpose.value,
            stage=bulk.stage,
            state=order.state,
            placed_at=order.placed_at,
            deliver_on=order.deliver_on,
            lines=line_count,
            total=order.total,
            accepted=taken or ZERO,
            accepted_on=bulk.accepted_on,
            due_on=bulk.due_on,
            paid=received or ZERO,
            credited=returned or ZERO,
            paid_on=bulk.paid_on,
            made_by_id=bulk.made_by_id,
            made_by=made_by or "",
            approved_at=bulk.approved_at,
            invoice=invoice,
        )
        for order, bulk, line_count, taken, received, returned, invoice, made_by in session.execute(
            statement
        )
    ]


def order_target() -> sa.ColumnElement[str]:
    """SQL: what a bank match of this order names."""
    return sa.literal("order:") + sa.cast(Order.id, sa.String)


def paid_of(session: Session, order_id: int) -> Money:
    """What bank lines were recognised for this order."""
    return (
        session.scalar(
            sa.select(sum_money(BankMatch.amount)).where(BankMatch.target == f"order:{order_id}")
        )
        or ZERO
    )


def accepted_of(session: Session, order_id: int) -> Money:
    """What signed protocols say the unit took of this order, in money."""
    return (
        session.scalar(
            sa.select(sum_money(Acceptance.amount)).where(
                Acceptance.order_id == order_id, Acceptance.state == AcceptanceState.SIGNED
            )
        )
        or ZERO
    )


def payments_of(session: Session, order_id: int) -> list[BankMatch]:
    return list(
        session.scalars(
            sa.select(BankMatch)
            .where(BankMatch.target == f"order:{order_id}")
            .order_by(BankMatch.id)
            .options(joinedload(BankMatch.bank_line))
        )
    )


def line_sums(session: Session, order_id: int) -> dict[int, tuple[int, Money, int, Money]]:
    """Line id → (accepted, amount, credited quantity, credited amount)."""
    taken = session.execute(
        sa.select(
            AcceptanceLine.line_id,
            sum_whole(AcceptanceLine.accepted),
            sum_money(AcceptanceLine.amount),
        )
        .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .where(Acceptance.order_id == order_id, Acceptance.state == AcceptanceState.SIGNED)
        .group_by(AcceptanceLine.line_id)
    )
    given = {
        line_id: (int(quantity), amount)
        for line_id, quantity, amount in session.execute(
            sa.select(
                CreditNoteLine.line_id,
                sum_whole(CreditNoteLine.quantity),
                sum_money(CreditNoteLine.amount),
            )
            .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
            .where(CreditNote.order_id == order_id)
            .group_by(CreditNoteLine.line_id)
        )
    }
    return {
        line_id: (int(accepted), amount, *given.get(line_id, (0, ZERO)))
        for line_id, accepted, amount in taken
    }


def acceptance_sheet(
    session: Session, acceptance_id: int, *, organisation_id: int | None = None
) -> Acceptance:
    """One protocol with its lines, photos, signatures and the shipment with its lots."""
    found = session.scalar(
        sa.select(Acceptance)
        .join(Acceptance.order)
        .where(
            Acceptance.id == acceptance_id,
            Order.organisation_id == organisation_id if organisation_id is not None else sa.true(),
        )
        .options(
            joinedload(Acceptance.order).options(
                joinedload(Order.supplier).joinedload(Supplier.organisation),
                joinedload(Order.organisation),
                selectinload(Order.lines).joinedload(OrderLine.product),
            ),
            joinedload(Acceptance.frozen),
            joinedload(Acceptance.shipment)
            .selectinload(Shipment.lines)
            .joinedload(ShipmentLine.allocation)
            .options(
                joinedload(Allocation.lot),
                joinedload(Allocation.line).joinedload(OrderLine.product),
                joinedload(Allocation.household).load_only(Household.id, Household.region_code),
            ),
            selectinload(Acceptance.lines).options(
                joinedload(AcceptanceLine.line).joinedload(OrderLine.product),
                selectinload(AcceptanceLine.photos).joinedload(AcceptancePhoto.file),
            ),
            selectinload(Acceptance.signatures),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def acceptances_of(session: Session, order_id: int) -> list[Acceptance]:
    return list(
        session.scalars(
            sa.select(Acceptance)
            .where(Acceptance.order_id == order_id)
            .order_by(Acceptance.id)
            .options(
                joinedload(Acceptance.frozen),
                selectinload(Acceptance.lines),
                selectinload(Acceptance.signatures),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One shipment that came, or is coming, to a unit."""

    shipment_id: int
    number: str
    order_number: str
    supplier: str
    shipped_at: datetime
    carrier: str
    lines: int
    acceptance_id: int | None
    acceptance_number: str | None
    state: AcceptanceState | None
    signed_at: datetime | None
    amount: Money


def deliveries(session: Session, organisation_id: int, *, limit: int = 100) -> list[Delivery]:
    """Shipments to this unit, those not yet accepted first, then the newest."""
    lines = (
        sa.select(sa.func.count(sa.distinct(Allocation.line_id)))
        .select_from(ShipmentLine)
        .join(Allocation, Allocation.id == ShipmentLine.allocation_id)
        .where(ShipmentLine.shipment_id == Shipment.id)
        .correlate(Shipment)
        .scalar_subquery()
    )
    found = session.execute(
        sa.select(Shipment, Acceptance, lines)
        .join(Order, Order.id == Shipment.order_id)
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .outerjoin(Acceptance, Acceptance.shipment_id == Shipment.id)
        .where(Order.organisation_id == organisation_id)
        .order_by(
            sa.case((Acceptance.state == AcceptanceState.SIGNED, 1), else_=0), Shipment.id.desc()
        )
        .limit(limit)
        .options(
            joinedload(Shipment.order).joinedload(Order.supplier).joinedload(Supplier.organisation)
        )
    )
    return [
        Delivery(
            shipment_id=shipment.id,
            number=shipment.number,
            order_number=shipment.order.number,
            supplier=shipment.order.supplier.organisation.short_name
            if shipment.order.supplier
            else "",
            shipped_at=shipment.shipped_at,
            carrier=shipment.carrier,
            lines=count,
            acceptance_id=acceptance.id if acceptance else None,
            acceptance_number=acceptance.number if acceptance else None,
            state=acceptance.state if acceptance else None,
            signed_at=acceptance.signed_at if acceptance else None,
            amount=acceptance.amount if acceptance else ZERO,
        )
        for shipment, acceptance, count in found
    ]


def invoice_of(session: Session, order_id: int) -> Invoice | None:
    return session.scalar(sa.select(Invoice).where(Invoice.order_id == order_id))


def credit_notes_of(session: Session, order_id: int) -> list[CreditNote]:
    return list(
        session.scalars(
            sa.select(CreditNote)
            .where(CreditNote.order_id == order_id)
            .order_by(CreditNote.id)
            .options(selectinload(CreditNote.lines))
        )
    )


def movements_of_order(session: Session, order_id: int) -> list[QuotaMovement]:
    return list(
        session.scalars(
            sa.select(QuotaMovement)
            .where(QuotaMovement.order_id == order_id)
            .order_by(QuotaMovement.id)
        )
    )


def drafts_of(session: Session, unit_id: int) -> list[OrderDraft]:
    """What is being filled in and was not submitted, newest first."""
    return list(
        session.scalars(
            sa.select(OrderDraft)
            .where(OrderDraft.unit_id == unit_id, OrderDraft.submitted_at.is_(None))
            .order_by(OrderDraft.saved_at.desc(), OrderDraft.id.desc())
        )
    )


def draft_of(session: Session, draft_id: int, *, unit_id: int) -> OrderDraft:
    found = session.get(OrderDraft, draft_id)
    if found is None or found.unit_id != unit_id:
        raise Missing(NOT_YOURS)
    return found


def canteen_packs(session: Session) -> list[Pack]:
    """Every pack a canteen can order now, with product and supplier, as the grid lists them."""
    return list(
        session.scalars(
            sa.select(Pack)
            .join(Pack.product)
            .where(
                Pack.shelf == Shelf.CANTEENS,
                Pack.on_sale.is_(True),
                Product.state == ProductState.ON_SALE,
            )
            .order_by(Product.position, Product.id, Pack.position, Pack.id)
            .options(
                joinedload(Pack.product)
                .joinedload(Product.supplier)
                .joinedload(Supplier.organisation)
            )
        )
    )


def last_prices(session: Session, organisation_id: int) -> dict[int, int]:
    """Pack id → what this unit last paid per kg or piece, in hundredths of a fen."""
    latest = (
        sa.select(OrderLine.pack_id, sa.func.max(OrderLine.id).label("line_id"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.organisation_id == organisation_id, OrderLine.unit_price.is_not(None))
        .group_by(OrderLine.pack_id)
        .subquery()
    )
    found = session.execute(
        sa.select(OrderLine.pack_id, OrderLine.unit_price).join(
            latest, latest.c.line_id == OrderLine.id
        )
    )
    return {pack_id: price.per_unit for pack_id, price in found if price is not None}


def last_order_lines(session: Session, organisation_id: int) -> dict[int, int]:
    """Pack id → base units of this unit's latest submission day: the template for the next."""
    newest = session.scalar(
        sa.select(sa.func.max(Order.placed_at))
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .where(Order.organisation_id == organisation_id)
    )
    if newest is None:
        return {}
    found = session.execute(
        sa.select(OrderLine.pack_id, sum_whole(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.organisation_id == organisation_id, Order.placed_at == newest)
        .group_by(OrderLine.pack_id)
    )
    return {pack_id: int(quantity) for pack_id, quantity in found}


def village_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Region code → short name."""
    return {
        region.code: region.short_name
        for region in session.scalars(sa.select(Region).where(Region.code.in_(sorted(set(codes)))))
    }


def villages_of_products(
    session: Session, product_ids: Collection[int]
) -> dict[tuple[int, str], list[str]]:
    """(product id, grade) → codes of the villages whose households have goods in open lots."""
    from_lots = session.execute(
        sa.select(Lot.product_id, Lot.grade, Household.region_code)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .where(Lot.product_id.in_(sorted(product_ids)), Contribution.on_hand > 0)
        .distinct()
    )
    found: dict[tuple[int, str], list[str]] = {}
    for product_id, grade, region_code in from_lots:
        found.setdefault((product_id, grade.value), []).append(region_code)
    return {key: sorted(codes) for key, codes in found.items()}


def unmatched_lines(
    session: Session, supplier_id: int, *, limit: int = 200
) -> list[tuple[BankLine, Money]]:
    """Incoming bank lines of a supplier that are not fully matched, with what is left of each."""
    used = (
        sa.select(sum_money(BankMatch.amount))
        .where(BankMatch.bank_line_id == BankLine.id)
        .correlate(BankLine)
        .scalar_subquery()
    )
    found = session.execute(
        sa.select(BankLine, used)
        .where(BankLine.supplier_id == supplier_id, BankLine.amount > ZERO)
        .order_by(BankLine.on, BankLine.id)
        .limit(limit)
    )
    left = [(line, line.amount - (matched or ZERO)) for line, matched in found]
    return [(line, rest) for line, rest in left if rest > ZERO]


def people_of(session: Session, user_ids: Collection[int | None]) -> dict[int, str]:
    """User id → name."""
    wanted = sorted({each for each in user_ids if each is not None})
    return dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted))).all())


def unsigned_past(session: Session, *, before: datetime, limit: int = 100) -> Sequence[int]:
    """Orders nobody approved or signed since before that instant, in id order."""
    return list(
        session.scalars(
            sa.select(BulkOrder.order_id)
            .where(
                BulkOrder.stage.in_((Stage.PENDING_APPROVAL, Stage.TO_SIGN)),
                sa.func.coalesce(BulkOrder.approved_at, BulkOrder.made_at) <= before,
            )
            .order_by(BulkOrder.order_id)
            .limit(limit)
        )
    )

"""A lot and everything made of it is called back, until it is known what became of every gram."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.lots.models import Lot, LotState
from catalog.lots.operations import recall_lot, release_lot
from catalog.lots.queries import affected_by, lock_pools
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.mail import send_later
from kernel.numbering import next_number
from kernel.staff import people_to_tell
from kernel.text import tidy
from orders.sales.models import Order
from orders.sales.operations import tell_buyer
from orders.tracing import rules
from orders.tracing.models import (
    Recall,
    RecallKind,
    RecallLine,
    RecallLot,
    RecallOutcome,
    RecallReport,
)
from orders.tracing.queries.recalls import (
    RecallReach,
    accounted,
    recall_reach,
    units_people,
)

# Every lot that a recall set apart says so with this reason when it was not the one named.
_WITH = "随批次 {code} 一起召回：{reason}"


def begin_recall(
    session: Session,
    lot_id: int,
    *,
    supplier_id: int,
    kind: RecallKind,
    reason: str,
    advice: str,
    site: str,
    by: Actor,
    now: datetime,
) -> Recall:
    """Hold the lot and everything made of it, write down who has some, tell each buyer once.

    While a recall of this lot is open, asking again gives that one back and tells nobody twice. A
    drill writes down the same and holds and tells nothing. `site` is the address of the shop.
    """
    reason, advice = tidy(reason)[:200], tidy(advice)[:300]
    errors = {}
    if not reason:
        errors["reason"] = Text("Say why.")
    if not advice:
        errors["advice"] = Text("Say what buyers should do.")
    if errors:
        raise Invalid(errors)
    lot = _own_lot(session, lot_id, supplier_id)
    known = session.scalar(
        sa.select(Recall).where(
            Recall.lot_id == lot_id, Recall.kind == kind, Recall.closed_at.is_(None)
        )
    )
    if known is not None:
        return known
    reach = recall_reach(session, lot_id)
    recall = Recall(
        number=next_number(session, "ZH" if kind is RecallKind.REAL else "YL", now),
        lot_id=lot_id, supplier_id=supplier_id, kind=kind, reason=reason, advice=advice,
        **stamp(by, now),
    )  # fmt: skip
    session.add(recall)
    session.flush()
    _write_down(session, recall, reach)
    if kind is RecallKind.REAL:
        _set_apart(session, lot, reach, reason, by=by, now=now)
        _tell(session, recall, lot, reach, site, now)
    audit.note(
        session, "begin_recall", f"recall:{recall.id}", by=by, now=now, lot=lot.code,
        kind=kind, buyers=reach.buyers,
    )  # fmt: skip
    return recall


def _own_lot(session: Session, lot_id: int, supplier_id: int) -> Lot:
    """The lot, with its pool and itself locked: nothing of it is shipped while this goes on."""
    lot = get_or_missing(session, Lot, lot_id)
    if lot.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    below = [each.lot_id for each in affected_by(session, lot_id)]
    products = session.scalars(sa.select(Lot.product_id).where(Lot.id.in_(below)).distinct())
    lock_pools(session, sorted(products))
    return get_or_missing(session, Lot, lot_id, lock=True)


def _write_down(session: Session, recall: Recall, reach: RecallReach) -> None:
    session.add_all(
        RecallLot(
            recall_id=recall.id, lot_id=each.lot_id, on_hand=each.on_hand, reserved=each.reserved
        )
        for each in reach.lots
    )
    session.add_all(
        RecallLine(
            recall_id=recall.id, order_id=each.order_id, lot_id=each.lot_id, shipped=each.shipped
        )
        for each in reach.orders
        if each.shipped
    )
    session.flush()


def _set_apart(
    session: Session, lot: Lot, reach: RecallReach, reason: str, *, by: Actor, now: datetime
) -> None:
    for each in reach.lots:
        why = reason if each.lot_id == lot.id else _WITH.format(code=lot.code, reason=reason)
        if each.state is not LotState.QUARANTINE:
            recall_lot(session, each.lot_id, reason=why, by=by, now=now)


def _tell(
    session: Session, recall: Recall, lot: Lot, reach: RecallReach, site: str, now: datetime
) -> None:
    """Citizens hear by mail about their order; a unit's people and the cooperative by mail, and
    on their desks. The outbox knows what was sent and sends nothing twice."""
    product = get_or_missing(session, Product, lot.product_id)
    ids = {each.order_id for each in reach.orders if each.shipped}
    orders = session.scalars(sa.select(Order).where(Order.id.in_(ids)).order_by(Order.id)).all()
    for order in orders:
        tell_buyer(session, order, "recalled", about=f"{product.name_zh} {lot.code}", now=now)
    bodies = session.scalars(
        sa.select(Supplier.organisation_id)
        .join(Lot, Lot.supplier_id == Supplier.id)
        .where(Lot.id.in_([each.lot_id for each in reach.lots]))
        .distinct()
    ).all()
    units = {each.organisation_id for each in orders if each.organisation_id}
    keepers = people_to_tell(session, bodies, (Role.MANAGER, Role.STOREKEEPER), now)
    people = [
        *((user, "/canteen/recalls") for user in units_people(session, units, now)),
        *((user, f"/coop/trace?code={lot.code}") for user in keepers),
    ]
    for user, path in people:
        subject, body = rules.letter_to_people(
            recall.number, product.name_zh, lot.code, recall.reason, recall.advice,
            f"{site}{path}",
        )  # fmt: skip
        key = f"recall:{recall.id}:{user.id}"
        send_later(session, to=user.email, subject=subject, body=body, now=now, key=key)


def report_back(
    session: Session,
    recall_id: int,
    line_id: int,
    *,
    outcome: RecallOutcome,
    quantity: int,
    note: str,
    by: Actor,
    now: datetime,
) -> RecallReport:
    """So much of what this order got came back, was destroyed, eaten, or cannot be found; a
    negative quantity takes back what was written down wrongly, and says why."""
    recall = _open(session, recall_id)
    line = session.scalar(
        sa.select(RecallLine)
        .where(RecallLine.id == line_id, RecallLine.recall_id == recall.id)
        .options(selectinload(RecallLine.reports))
        .execution_options(populate_existing=True)
    )
    if line is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    so_far = accounted([line])
    note = tidy(note)[:200]
    problem = rules.report_problem(
        line.shipped, line.shipped - so_far.open, so_far.by_outcome[outcome], quantity
    )
    if problem is not None:
        raise Invalid({"quantity": problem})
    if quantity < 0 and not note:
        raise Invalid({"note": Text("Say why.")})
    report = RecallReport(
        line_id=line.id, outcome=outcome, quantity=quantity, note=note, **stamp(by, now)
    )
    session.add(report)
    session.flush()
    audit.note(
        session, "report_back", f"recall:{recall.id}", by=by, now=now, outcome=outcome,
        quantity=quantity,
    )  # fmt: skip
    return report


def _open(session: Session, recall_id: int) -> Recall:
    recall = get_or_missing(session, Recall, recall_id, lock=True)
    if recall.closed_at is not None:
        raise Refusal("This recall is closed; nothing of it changes any more.")
    return recall


def close_recall(
    session: Session,
    recall_id: int,
    *,
    conclusion: str,
    rest_is_missing: bool,
    safe_again: bool,
    by: Actor,
    now: datetime,
) -> Recall:
    """Closed with a balance: shipped = returned + destroyed + consumed + missing, line by line.

    What nobody reported on is missing, if whoever closes says so. `safe_again` lets the lots be
    sold again; otherwise they stay set apart.
    """
    recall = _open(session, recall_id)
    conclusion = tidy(conclusion)[:300]
    if not conclusion:
        raise Invalid({"conclusion": Text("Say what was found and what was done.")})
    lines = session.scalars(
        sa.select(RecallLine)
        .where(RecallLine.recall_id == recall.id)
        .options(selectinload(RecallLine.reports))
        .order_by(RecallLine.id)
        .execution_options(populate_existing=True)
    ).all()
    rest = [(line, left) for line in lines if (left := accounted([line]).open)]
    if rest and recall.kind is RecallKind.REAL and not rest_is_missing:
        raise Invalid(
            {"rest": Text("Of %(n)s deliveries it is not known what became of all.", n=len(rest))}
        )
    if recall.kind is RecallKind.REAL:
        session.add_all(
            RecallReport(
                line_id=line.id, outcome=RecallOutcome.MISSING, quantity=left, note="",
                **stamp(by, now),
            )
            for line, left in rest
        )  # fmt: skip
        if safe_again:
            _release(session, recall, conclusion, by=by, now=now)
    recall.closed_at, recall.closed_by_id, recall.conclusion = now, by.user_id, conclusion
    audit.note(session, "close_recall", f"recall:{recall.id}", by=by, now=now, missing=len(rest))
    return recall


def _release(
    session: Session, recall: Recall, conclusion: str, *, by: Actor, now: datetime
) -> None:
    """Lots that no other open recall holds are sold again."""
    mine = sa.select(RecallLot.lot_id).where(RecallLot.recall_id == recall.id)
    elsewhere = (
        sa.select(RecallLot.lot_id)
        .join(Recall, Recall.id == RecallLot.recall_id)
        .where(Recall.id != recall.id, Recall.closed_at.is_(None), Recall.kind == RecallKind.REAL)
    )
    for lot in session.scalars(
        sa.select(Lot)
        .where(Lot.id.in_(mine), Lot.id.not_in(elsewhere), Lot.state == LotState.QUARANTINE)
        .order_by(Lot.product_id, Lot.id)
    ).all():
        release_lot(session, lot.id, reason=conclusion[:200], after_recall=True, by=by, now=now)


def list_contacts(session: Session, recall_id: int, *, by: Actor, now: datetime) -> Recall:
    """The list of whom to call, names and numbers in clear, is in somebody's hand: written into
    the trail each time, and the first time ends the search for buyers."""
    recall = get_or_missing(session, Recall, recall_id, lock=True)
    if recall.listed_at is None:
        recall.listed_at = now
    audit.note(session, "list_recall_contacts", f"recall:{recall.id}", by=by, now=now)
    return recall


def mark_read(
    session: Session, line_id: int, *, organisation_id: int, by: Actor, now: datetime
) -> RecallLine:
    """A unit says that it has read the recall and set the goods apart. Once is enough."""
    line = session.scalar(
        sa.select(RecallLine)
        .join(Order, Order.id == RecallLine.order_id)
        .join(Recall, Recall.id == RecallLine.recall_id)
        .where(
            RecallLine.id == line_id,
            Order.organisation_id == organisation_id,
            Recall.kind == RecallKind.REAL,
        )
        .with_for_update(of=RecallLine)
    )
    if line is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if line.read_at is None:
        line.read_at, line.read_by_id = now, by.user_id
        audit.note(session, "read_recall", f"recall:{line.recall_id}", by=by, now=now)
    return line

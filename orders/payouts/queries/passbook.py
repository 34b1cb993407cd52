"""A household's passbook: every transfer of its accounts in order, and what each was for.

The running balance is computed by the query, over all suppliers; nothing stored is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from catalog.households.models import Household
from catalog.lots.models import Contribution, Lot, WeighSlip
from catalog.products.models import Grade, Product
from catalog.suppliers.models import Supplier
from kernel.labels import Labelled
from kernel.money import ZERO, Money, Price, total
from kernel.people import Organisation
from kernel.periods import business_day
from kernel.quantities import BaseUnit
from kernel.regions import Region
from orders.ledger.models import Account, Transfer
from orders.payouts.models import PayoutLine, PayoutState
from orders.payouts.queries.whereabouts import Destination, destinations
from orders.shares.models import HOUSEHOLD_PARTS, PartKind, SplitPart

PER_PAGE = 12


class EntryKind(Labelled):
    """What a line of the passbook is about."""

    GOODS = "goods"
    CONSIGNED = "consigned"
    REBATE = "rebate"
    REFUND = "refund"
    REVERSED = "reversed"
    PAYMENT = "payment"
    PAYMENT_FAILED = "payment_failed"
    OTHER = "other"


_PAYING = (EntryKind.PAYMENT, EntryKind.PAYMENT_FAILED)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `amount` is what was earned, or negative: what was paid.

    `paid_on` and `bank_ref` are set once the bank's statement has confirmed the payment.
    """

    id: int
    on: date
    kind: EntryKind
    amount: Money
    balance: Money
    supplier: str
    phone: str
    memo: str
    product: Product | None = None
    grade: Grade | None = None
    quantity: int | None = None
    price: Price | None = None
    weighed_on: date | None = None
    went_to: tuple[Destination, ...] = ()
    account_last4: str = ""
    bank_ref: str = ""
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One leaf of the passbook, as it would be printed."""

    number: int
    of: int
    brought_forward: Money
    lines: list[Line]
    balance: Money
    owed_now: Money
    under_way: Money

    @property
    def earned(self) -> Money:
        """What was reversed or refunded was not earned."""
        return total(line.amount for line in self.lines if line.kind not in _PAYING)

    @property
    def paid(self) -> Money:
        return -total(line.amount for line in self.lines if line.kind in _PAYING)

    @property
    def phone(self) -> str:
        """Of the supplier of the last line: whom to ask."""
        return self.lines[-1].phone if self.lines else ""

    @property
    def blanks(self) -> range:
        """Numbers of the lines that are still empty."""
        return range(len(self.lines) + 1, PER_PAGE + 1)


def passbook(session: Session, household_id: int, *, page: int | None = None) -> Page:
    """The given page, oldest first; the last one by default, an empty first one for a new book.

    A fixed number of queries, however long the book is. The caller has checked the scope.
    """
    household = session.get_one(Household, household_id)
    count, owed = _length(session, household)
    pages = max(1, -(-count // PER_PAGE))
    number = min(max(page or pages, 1), pages)
    rows = _rows(session, household, (number - 1) * PER_PAGE)
    lines = _explained(session, household_id, rows)
    forward = lines[0].balance - lines[0].amount if lines else ZERO
    return Page(
        number, pages, forward, lines,
        lines[-1].balance if lines else ZERO, owed, _under_way(session, household_id),
    )  # fmt: skip


def _mine(household: Household) -> sa.ColumnElement[bool]:
    return Account.subject == f"household:{household.code}"


def _signed(household: Household) -> sa.Subquery:
    """Every transfer of the household's accounts, with its sign and what is owed after it."""
    credits_ = (
        sa.select(
            Transfer.id, Transfer.on, Transfer.cause, Transfer.memo,
            sa.type_coerce(Transfer.amount, sa.BigInteger).label("fen"), Account.code,
        )
        .join(Account, Account.id == Transfer.credit_id)
        .where(_mine(household))
    )  # fmt: skip
    debits = (
        sa.select(
            Transfer.id, Transfer.on, Transfer.cause, Transfer.memo,
            (-sa.type_coerce(Transfer.amount, sa.BigInteger)).label("fen"), Account.code,
        )
        .join(Account, Account.id == Transfer.debit_id)
        .where(_mine(household))
    )  # fmt: skip
    both = sa.union_all(credits_, debits).subquery()
    in_order = (both.c.on, both.c.id)
    return sa.select(
        both,
        sa.func.sum(both.c.fen).over(order_by=in_order).label("running"),
        sa.func.row_number().over(order_by=in_order).label("place"),
    ).subquery()


def _length(session: Session, household: Household) -> tuple[int, Money]:
    signed = _signed(household)
    count, owed = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(signed.c.fen), 0))
    ).one()
    return int(count), Money(int(owed))


def _rows(
    session: Session, household: Household, after: int
) -> Sequence[sa.Row[tuple[object, ...]]]:
    signed = _signed(household)
    return session.execute(
        sa.select(signed)
        .where(signed.c.place > after, signed.c.place <= after + PER_PAGE)
        .order_by(signed.c.place)
    ).all()


def _under_way(session: Session, household_id: int) -> Money:
    """Sent to the bank and not confirmed yet."""
    found = session.scalars(
        sa.select(PayoutLine.amount).where(
            PayoutLine.household_id == household_id, PayoutLine.state == PayoutState.SENT
        )
    )
    return total(found)


@dataclass(slots=True)
class _Known:
    """What the causes of one page lead to, looked up together."""

    slips: dict[int, WeighSlip] = field(default_factory=dict)
    parts: dict[str, list[SplitPart]] = field(default_factory=dict)
    payments: dict[int, PayoutLine] = field(default_factory=dict)
    grades: dict[int, Grade] = field(default_factory=dict)
    days: dict[int, date] = field(default_factory=dict)
    went: dict[int, tuple[Destination, ...]] = field(default_factory=dict)
    suppliers: dict[str, tuple[str, str]] = field(default_factory=dict)


def _explained(
    session: Session, household_id: int, rows: Sequence[sa.Row[tuple[object, ...]]]
) -> list[Line]:
    known = _look_up(session, household_id, rows)
    return [_line(row, known) for row in rows]


def _look_up(
    session: Session, household_id: int, rows: Iterable[sa.Row[tuple[object, ...]]]
) -> _Known:
    rows = list(rows)
    known = _Known()
    slip_ids = [int(each.cause.split(":")[1]) for each in rows if each.cause.startswith("slip:")]
    line_ids = [
        int(each.cause.split(":")[1]) for each in rows if each.cause.startswith("payout_line:")
    ]
    subjects = {_subject(each.cause) for each in rows} - {""}
    known.slips = {
        slip.id: slip
        for slip in session.scalars(
            sa.select(WeighSlip)
            .where(WeighSlip.id.in_(slip_ids))
            .options(joinedload(WeighSlip.product))
        )
    }
    known.payments = {
        line.id: line
        for line in session.scalars(sa.select(PayoutLine).where(PayoutLine.id.in_(line_ids)))
    }
    for part in session.scalars(
        sa.select(SplitPart)
        .where(SplitPart.subject.in_(subjects), SplitPart.household_id == household_id)
        .options(joinedload(SplitPart.product))
        .order_by(SplitPart.id)
    ):
        known.parts.setdefault(part.subject, []).append(part)
    contributions = {slip.contribution_id for slip in known.slips.values()}
    contributions |= {part.contribution_id for parts in known.parts.values() for part in parts}
    keys = sorted(key for key in contributions if key is not None)
    known.went = destinations(session, keys)
    for key, grade, day in session.execute(
        sa.select(Contribution.id, Lot.grade, Lot.harvested_on)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Contribution.id.in_(keys))
    ):
        known.grades[key], known.days[key] = grade, day
    known.suppliers = _suppliers(session, {each.code.rpartition(":")[2] for each in rows})
    return known


def _subject(cause: str) -> str:
    """`acceptance_line:45:rebate:7` → `acceptance_line:45`; nothing for other causes."""
    head, _, _household = cause.rpartition(":")
    subject, _, kind = head.rpartition(":")
    return subject if kind in (PartKind.REBATE.value, PartKind.CONSIGNED.value) else ""


def _suppliers(session: Session, codes: set[str]) -> dict[str, tuple[str, str]]:
    """Code → (short name, telephone)."""
    rows = session.execute(
        sa.select(Supplier.code, Organisation.short_name, Supplier.phone)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .where(Supplier.code.in_(codes))
    )
    return {code: (name, phone) for code, name, phone in rows}


def _line(row: sa.Row[tuple[object, ...]], known: _Known) -> Line:
    code = row.code.rpartition(":")[2]
    line = Line(
        id=row.id,
        on=row.on,
        kind=EntryKind.OTHER,
        amount=Money(int(row.fen)),
        balance=Money(int(row.running)),
        supplier=known.suppliers.get(code, (code, ""))[0],
        phone=known.suppliers.get(code, (code, ""))[1],
        memo=row.memo,
    )
    what, _, rest = row.cause.partition(":")
    number = rest.partition(":")[0]
    if what == "slip" and int(number) in known.slips:
        return _of_slip(line, known.slips[int(number)], known)
    if what == "payout_line" and int(number) in known.payments:
        return _of_payment(line, known.payments[int(number)], rest.rpartition(":")[2])
    if parts := known.parts.get(_subject(row.cause)):
        return _of_parts(line, parts, known)
    return line


def _of_slip(line: Line, slip: WeighSlip, known: _Known) -> Line:
    return replace(
        line,
        kind=EntryKind.GOODS if line.amount > ZERO else EntryKind.REVERSED,
        product=slip.product,
        grade=slip.grade,
        quantity=slip.net_g,
        price=slip.price,
        weighed_on=business_day(slip.weighed_at),
        went_to=known.went.get(slip.contribution_id or 0, ()),
    )


def _of_payment(line: Line, payment: PayoutLine, step: str) -> Line:
    sent = step == "sent"
    confirmed = sent and payment.bank_ref
    return replace(
        line,
        kind=EntryKind.PAYMENT if sent else EntryKind.PAYMENT_FAILED,
        account_last4=payment.account_last4,
        bank_ref=payment.bank_ref if confirmed else "",
        paid_on=business_day(payment.done_at) if confirmed and payment.done_at else None,
    )


def _of_parts(line: Line, parts: Sequence[SplitPart], known: _Known) -> Line:
    mine = [part for part in parts if part.kind in HOUSEHOLD_PARTS[1:]]
    part = mine[0] if mine else parts[0]
    quantity = sum(each.quantity for each in mine)
    went = {place for each in mine for place in known.went.get(each.contribution_id or 0, ())}
    if line.amount < ZERO:
        kind = EntryKind.REFUND
    else:
        kind = EntryKind.REBATE if part.kind is PartKind.REBATE else EntryKind.CONSIGNED
    price = None
    if kind is EntryKind.CONSIGNED and quantity:
        price = Price.from_total(line.amount, quantity, BaseUnit.GRAM)
    return replace(
        line,
        kind=kind,
        product=part.product,
        grade=known.grades.get(part.contribution_id or 0),
        weighed_on=known.days.get(part.contribution_id or 0),
        quantity=quantity if kind is EntryKind.CONSIGNED else None,
        price=price,
        went_to=tuple(place for place in Destination if place in went),
    )


def township_of(session: Session, household_id: int) -> str:
    """The name of the township a household lives in, as it stands on the cover."""
    place = aliased(Region)
    found = session.scalar(
        sa.select(place)
        .join(Region, Region.parent_code == place.code)
        .join(Household, Household.region_code == Region.code)
        .where(Household.id == household_id)
    )
    return found.short_name if found else ""

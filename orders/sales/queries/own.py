"""What a citizen sees of their own: orders by state and words, addresses, employer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from kernel.codes import fold_code
from kernel.crypto import keyed_hash
from kernel.labels import Labelled
from kernel.people import Organisation, OrganisationKind
from kernel.text import plain_number
from orders.sales.models import (
    BuyerKind,
    EmployerCode,
    Employment,
    EmploymentState,
    Order,
    OrderLine,
    OrderState,
    Review,
    SavedAddress,
)

PER_PAGE = 20
OPEN = (EmploymentState.ASKED, EmploymentState.CONFIRMED)


class OwnOrders(Labelled):
    """How a citizen sorts their orders."""

    TO_PAY = "to_pay"
    ON_THE_WAY = "on_the_way"
    FINISHED = "finished"
    NOT_BOUGHT = "not_bought"


STATES: dict[OwnOrders, tuple[OrderState, ...]] = {
    OwnOrders.TO_PAY: (OrderState.AWAITING_PAYMENT,),
    OwnOrders.ON_THE_WAY: (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED, OrderState.SHIPPED),
    OwnOrders.FINISHED: (OrderState.RECEIVED, OrderState.COMPLETED),
    OwnOrders.NOT_BOUGHT: (OrderState.CANCELLED, OrderState.CLOSED),
}


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of a person's orders with their lines, newest first, and how many of each sort."""

    orders: Sequence[Order]
    more: bool
    counts: dict[OwnOrders, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def own_orders(
    session: Session,
    user_id: int,
    *,
    sort: OwnOrders | None = None,
    words: str = "",
    page: int = 1,
) -> OrderPage:
    """Two statements and one for the lines, however many there are."""
    mine = (Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN)
    rows = sa.select(Order).where(*mine).order_by(Order.id.desc())
    if sort is not None:
        rows = rows.where(Order.state.in_(STATES[sort]))
    if words:
        rows = rows.where(_speaks_of(words))
    rows = rows.offset(PER_PAGE * (page - 1)).limit(PER_PAGE + 1)
    found = session.scalars(
        rows.options(selectinload(Order.lines).joinedload(OrderLine.product))
    ).all()
    by_state = dict(
        session.execute(
            sa.select(Order.state, sa.func.count()).where(*mine).group_by(Order.state)
        ).all()
    )
    counts = {
        each: sum(by_state.get(state, 0) for state in states) for each, states in STATES.items()
    }
    return OrderPage(found[:PER_PAGE], len(found) > PER_PAGE, counts)


def _speaks_of(words: str) -> sa.ColumnElement[bool]:
    """Its number, its code or the name of something in it holds the words."""
    line = sa.or_(
        OrderLine.name_zh.icontains(words, autoescape=True),
        OrderLine.name_en.icontains(words, autoescape=True),
    )
    return sa.or_(
        Order.number.icontains(words, autoescape=True),
        Order.code.icontains(words, autoescape=True),
        Order.id.in_(sa.select(OrderLine.order_id).where(line)),
    )


def guest_orders(email: str) -> sa.ColumnElement[bool]:
    """Orders that were placed with this address and belong to no account."""
    return sa.and_(
        Order.email_hash == keyed_hash(email),
        Order.user_id.is_(None),
        Order.buyer_kind == BuyerKind.CITIZEN,
    )


def count_guest_orders(session: Session, email: str) -> int:
    return (
        session.scalar(sa.select(sa.func.count()).select_from(Order).where(guest_orders(email)))
        or 0
    )


def saved_addresses(session: Session, user_id: int | None) -> Sequence[SavedAddress]:
    """The first one first, then the newest; none for a guest, without asking."""
    if user_id is None:
        return []
    return session.scalars(
        sa.select(SavedAddress)
        .where(SavedAddress.user_id == user_id)
        .order_by(SavedAddress.is_default.desc(), SavedAddress.id.desc())
    ).all()


# --- the employer --------------------------------------------------------------------------------


def employer_by_code(session: Session, typed: str) -> Organisation | None:
    """The unit that gave its staff this code, or whose social credit code it is; a unit that must
    not be named in public is found by its own code only."""
    code, number = fold_code(typed), plain_number(typed).upper()
    if not code:
        return None
    return session.scalar(
        sa.select(Organisation)
        .outerjoin(EmployerCode, EmployerCode.organisation_id == Organisation.id)
        .where(
            Organisation.kind == OrganisationKind.UNIT,
            sa.or_(
                EmployerCode.code == code,
                sa.and_(Organisation.uscc == number, Organisation.sensitive.is_(False)),
            ),
        )
    )


def employer_code_of(session: Session, organisation_id: int) -> str | None:
    return session.scalar(
        sa.select(EmployerCode.code).where(EmployerCode.organisation_id == organisation_id)
    )


def open_employment(session: Session, user_id: int) -> Employment | None:
    """What this person has asked for, or what holds now, with the unit."""
    return session.scalar(
        sa.select(Employment)
        .where(Employment.user_id == user_id, Employment.state.in_(OPEN))
        .options(joinedload(Employment.organisation))
    )


def last_employment(session: Session, user_id: int) -> Employment | None:
    """The one that ended last."""
    return session.scalar(
        sa.select(Employment)
        .where(Employment.user_id == user_id, Employment.state == EmploymentState.ENDED)
        .order_by(Employment.valid_to.desc(), Employment.id.desc())
        .limit(1)
        .options(joinedload(Employment.organisation))
    )


def employments_of(session: Session, user_id: int) -> Sequence[Employment]:
    """All of them with their units, newest first."""
    return session.scalars(
        sa.select(Employment)
        .where(Employment.user_id == user_id)
        .order_by(Employment.id.desc())
        .options(joinedload(Employment.organisation))
    ).all()


def employer_on(session: Session, user_id: int | None, day: date) -> Organisation | None:
    """The unit that this person's order of that day may be credited to; none for a guest."""
    if user_id is None:
        return None
    return session.scalar(
        sa.select(Organisation)
        .join(Employment, Employment.organisation_id == Organisation.id)
        .where(
            Employment.user_id == user_id,
            Employment.state.in_((EmploymentState.CONFIRMED, EmploymentState.ENDED)),
            Employment.valid_from <= day,
            sa.or_(Employment.valid_to.is_(None), Employment.valid_to >= day),
        )
    )


def staff_of(session: Session, organisation_id: int, *, limit: int = 500) -> Sequence[Employment]:
    """Who asked, who belongs and who belonged to this unit; who waits first, then the newest."""
    return session.scalars(
        sa.select(Employment)
        .where(
            Employment.organisation_id == organisation_id,
            Employment.state.in_((*OPEN, EmploymentState.ENDED)),
        )
        .order_by(Employment.state != EmploymentState.ASKED, Employment.id.desc())
        .limit(limit)
    ).all()


def count_asking(session: Session, organisation_id: int) -> int:
    """How many wait for this unit's word."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Employment)
            .where(
                Employment.organisation_id == organisation_id,
                Employment.state == EmploymentState.ASKED,
            )
        )
        or 0
    )


def reviews_by(session: Session, user_id: int) -> Sequence[Review]:
    """What this person said of what they bought."""
    return session.scalars(
        sa.select(Review)
        .join(Order, Order.id == Review.order_id)
        .where(Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN)
        .order_by(Review.id)
    ).all()

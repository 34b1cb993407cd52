"""Links between a supplier and households, what was paid under them, and the yearly reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.households.models import Household
from catalog.suppliers.models import (
    HouseholdLink,
    LinkageReview,
    LinkPayment,
    Supplier,
    SupplierEvent,
    SupplierState,
)
from catalog.suppliers.rules import Paid
from kernel.db import sum_money
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.people import Organisation
from kernel.periods import day_start
from kernel.regions import Region, within


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as its supplier reads it, with what was paid under it so far."""

    link: HouseholdLink
    village: str
    paid: Money


def links_of(
    session: Session, supplier_id: int, *, offset: int = 0, limit: int = 50
) -> list[LinkRow]:
    """Newest first, each with its household."""
    paid = (
        sa.select(sum_money(LinkPayment.amount))
        .where(LinkPayment.link_id == HouseholdLink.id)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(HouseholdLink, Region.name, sa.type_coerce(paid, LinkPayment.amount.type))
        .join(Household, Household.id == HouseholdLink.household_id)
        .join(Region, Region.code == Household.region_code)
        .options(joinedload(HouseholdLink.household))
        .where(HouseholdLink.supplier_id == supplier_id)
        .order_by(HouseholdLink.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [LinkRow(link, village, amount) for link, village, amount in rows]


def link_of(session: Session, supplier_id: int, link_id: int) -> HouseholdLink:
    """This supplier's link with its household, its contract and its payments; or Missing."""
    found = session.scalar(
        sa.select(HouseholdLink)
        .options(
            joinedload(HouseholdLink.household),
            joinedload(HouseholdLink.file),
            selectinload(HouseholdLink.payments).joinedload(LinkPayment.file),
        )
        .where(HouseholdLink.id == link_id, HouseholdLink.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def link_payments(
    session: Session, supplier_ids: Sequence[int], *, begin: date, end: date
) -> dict[int, list[Paid]]:
    """Supplier → what was paid under its links on these days, both inclusive. What our own payout
    runs paid is known to a higher room only (`shop.linkage`)."""
    found: dict[int, list[Paid]] = {}
    for supplier_id, household_id, mechanism, on, amount, cost in session.execute(
        sa.select(
            HouseholdLink.supplier_id,
            HouseholdLink.household_id,
            HouseholdLink.mechanism,
            LinkPayment.paid_on,
            LinkPayment.amount,
            LinkPayment.cost,
        )
        .join(LinkPayment, LinkPayment.link_id == HouseholdLink.id)
        .where(
            HouseholdLink.supplier_id.in_(supplier_ids),
            LinkPayment.paid_on >= begin,
            LinkPayment.paid_on <= end,
        )
        .order_by(LinkPayment.id)
    ):
        found.setdefault(supplier_id, []).append(
            Paid(household_id, mechanism.value, on, amount.fen, cost.fen)
        )
    return found


def reviews_of(session: Session, supplier_id: int) -> list[LinkageReview]:
    """Newest year first, with the frozen figures."""
    return list(
        session.scalars(
            sa.select(LinkageReview)
            .options(joinedload(LinkageReview.frozen))
            .where(LinkageReview.supplier_id == supplier_id)
            .order_by(LinkageReview.year.desc())
        )
    )


def unreviewed(
    session: Session, year: int, *, region_prefixes: Sequence[str] | None = None
) -> list[Supplier]:
    """Suppliers that were admitted before that year ended, still are, and whose effect of that
    year nobody has looked at; by code, with their organisation."""
    admitted_at = (
        sa.select(sa.func.min(SupplierEvent.made_at))
        .where(
            SupplierEvent.supplier_id == Supplier.id,
            SupplierEvent.to_state == SupplierState.ADMITTED,
        )
        .scalar_subquery()
    )
    wanted = (
        sa.select(Supplier)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .options(joinedload(Supplier.organisation))
        .where(
            Supplier.state.in_((SupplierState.ADMITTED, SupplierState.RECTIFYING)),
            sa.func.coalesce(admitted_at, Supplier.made_at) < day_start(date(year + 1, 1, 1)),
            ~sa.exists().where(
                LinkageReview.supplier_id == Supplier.id, LinkageReview.year == year
            ),
        )
        .order_by(Supplier.code)
    )
    if region_prefixes is not None:
        wanted = wanted.where(within(Organisation.region_code, list(region_prefixes)))
    return list(session.scalars(wanted))

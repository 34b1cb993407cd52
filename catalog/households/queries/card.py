"""A household as one kind of reader may see it, masked before it leaves the query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import (
    Household,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    Plot,
    RiskStatus,
    Sex,
)
from catalog.households.queries.finding import short_name
from catalog.households.rules import Detail, Viewer
from kernel.errors import Missing, Text
from kernel.regions import Region


@dataclass(frozen=True, slots=True)
class MemberShown:
    """One member as its reader may see it: the name is empty where it is hidden."""

    id: int
    name: str
    relation: str
    identity: str
    is_head: bool
    minor: bool
    sex: Sex
    can_work: bool
    left_on: date | None
    left_why: str


@dataclass(frozen=True, slots=True)
class StatusShown:
    lifted: bool
    monitor_type: MonitorType
    risk_status: RiskStatus
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class PlotShown:
    place: str
    area_mu_100: int
    crop: str
    year: int
    id: int = 0
    retired_on: date | None = None
    retired_why: str = ""


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household as one kind of reader may see it: what is hidden is not in the object."""

    id: int
    code: str
    name: str
    village: str
    group_no: int | None
    people: int
    phone: str
    bank: str
    account: str
    members: tuple[MemberShown, ...]
    status: StatusShown | None
    plots: tuple[PlotShown, ...]


def household_card(
    session: Session,
    household_id: int,
    *,
    viewer: Viewer,
    year: int,
    today: date | None = None,
) -> HouseholdCard:
    """Masked by the matrix before it leaves the query. The caller has checked the scope.

    Without `today` whoever comes of age during the year is still taken for a child.
    """
    found = session.execute(
        sa.select(Household, Region.name)
        .join(Region, Region.code == Household.region_code)
        .where(Household.id == household_id)
    ).one_or_none()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    household, village = found
    account = session.scalar(
        sa.select(PayoutAccount).where(
            PayoutAccount.household_id == household_id, PayoutAccount.valid_to.is_(None)
        )
    )
    place, group_no = rules.shown_place(short_name(village), household.group_no, viewer)
    seen = rules.display(Detail.ACCOUNT, viewer) is not rules.Display.NEVER
    return HouseholdCard(
        id=household.id,
        code=rules.shown(Detail.CODE, household.code, viewer),
        name=rules.shown(Detail.NAME, household.name, viewer),
        village=place,
        group_no=group_no,
        people=household.people,
        phone=rules.shown(Detail.PHONE, household.phone, viewer),
        bank=account.bank if account and seen else "",
        account=rules.shown(Detail.ACCOUNT, account.last4, viewer) if account else "",
        members=_members(session, household_id, viewer, today or date(year, 1, 1)),
        status=_status(session, household_id, viewer),
        plots=_plots(session, household_id, year),
    )


def member_shown(member: HouseholdMember, viewer: Viewer, today: date) -> MemberShown:
    """A member as this viewer may see it; of a child, nothing that this viewer may not know."""
    known_as = rules.name_of_member(member.is_head, member.identity, today)
    minor = bool(member.identity) and rules.under_age(member.identity, today)
    child = known_as is Detail.MINOR
    seen = not child or rules.display(Detail.MINOR, viewer) is not rules.Display.NEVER
    return MemberShown(
        id=member.id,
        name=rules.shown(known_as, member.name, viewer),
        relation=member.relation if seen else "",
        identity=rules.shown(Detail.IDENTITY, member.identity, viewer) if seen else "",
        is_head=member.is_head,
        minor=minor,
        sex=member.sex,
        can_work=member.can_work,
        left_on=member.left_on,
        left_why=member.left_why or "",
    )


def _members(
    session: Session, household_id: int, viewer: Viewer, today: date
) -> tuple[MemberShown, ...]:
    return tuple(
        member_shown(member, viewer, today)
        for member in session.scalars(
            sa.select(HouseholdMember)
            .where(HouseholdMember.household_id == household_id, HouseholdMember.left_on.is_(None))
            .order_by(HouseholdMember.is_head.desc(), HouseholdMember.id)
        )
    )


def _status(session: Session, household_id: int, viewer: Viewer) -> StatusShown | None:
    if rules.display(Detail.STATUS, viewer) is not rules.Display.FULL:
        return None
    found = session.scalar(
        sa.select(HouseholdStatus)
        .where(HouseholdStatus.household_id == household_id)
        .order_by(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc())
        .limit(1)
    )
    if found is None:
        return None
    return status_shown(found)


def status_shown(status: HouseholdStatus) -> StatusShown:
    """For viewers whom the matrix shows it in full."""
    return StatusShown(
        status.lifted, status.monitor_type, status.risk_status, status.as_of, status.source
    )


def plot_shown(plot: Plot) -> PlotShown:
    return PlotShown(
        plot.place, plot.area_mu_100, plot.crop, plot.year, plot.id, plot.retired_on,
        plot.retired_why or "",
    )  # fmt: skip


def _plots(session: Session, household_id: int, year: int) -> tuple[PlotShown, ...]:
    return tuple(
        plot_shown(plot)
        for plot in session.scalars(
            sa.select(Plot)
            .where(Plot.household_id == household_id, Plot.year == year, Plot.retired_on.is_(None))
            .order_by(Plot.id)
        )
    )

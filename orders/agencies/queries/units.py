"""Units, the policy they live under, and their filings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel.errors import Missing, Refusal, Text
from kernel.money import Money
from kernel.people import Organisation
from kernel.regions import DIGITS, Region, prefix, prefixes, within
from kernel.versions import FrozenVersion
from orders.agencies.models import (
    CanteenType,
    Filing,
    FilingState,
    Policy,
    Unit,
    YearRule,
)
from orders.agencies.queries.scope import Scope
from orders.agencies.rules.counting import CountingPolicy
from orders.agencies.rules.filing import Declaration, LastYear, Representative
from orders.sales.models import Order

NATION = "0" * 12
# The rows that count as a unit's filing of a year.
IN_FORCE = (FilingState.EFFECTIVE, FilingState.NOTED)


def unit_of(session: Session, organisation_id: int) -> Unit:
    """The unit this organisation is, with its representative; Missing if it is none."""
    return _one_unit(session, Unit.organisation_id == organisation_id)


def unit_sheet(session: Session, unit_id: int) -> Unit:
    """A unit with its organisation and its representative's."""
    return _one_unit(session, Unit.id == unit_id)


def _one_unit(session: Session, which: sa.ColumnElement[bool]) -> Unit:
    found = session.scalar(
        sa.select(Unit)
        .where(which)
        .options(
            joinedload(Unit.organisation).joinedload(Organisation.parent),
            joinedload(Unit.representative).joinedload(Unit.organisation),
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def leading_units(session: Session, unit: Unit) -> list[Unit]:
    """Units of the same county that lead a shared canteen: whom one may name as representative."""
    return list(
        session.scalars(
            sa.select(Unit)
            .join(Unit.organisation)
            .where(
                Unit.canteen_type == CanteenType.SHARED_LEADING,
                Unit.id != unit.id,
                Organisation.region_code.startswith(unit.organisation.region_code[:6]),
            )
            .order_by(Organisation.name)
            .options(joinedload(Unit.organisation))
        )
    )


def policies_of(session: Session, region_code: str, years: Sequence[int]) -> dict[int, Policy]:
    """Year → the policy in force for a place: the narrowest region that has a row wins."""
    own = prefix(region_code)
    codes = {NATION} | {
        own[:digits].ljust(12, "0") for digits in DIGITS.values() if digits <= len(own)
    }
    successors = session.scalars(
        sa.select(Region.successor_code).where(
            Region.code.in_(sorted(codes)), Region.successor_code.is_not(None)
        )
    )
    codes.update(code for code in successors if code)
    rows = session.scalars(
        sa.select(Policy).where(Policy.region_code.in_(sorted(codes)), Policy.year.in_(list(years)))
    )
    found: dict[int, Policy] = {}
    for row in sorted(rows, key=lambda row: len(row.region_code.rstrip("0"))):
        found[row.year] = row
    return found


def policy_for(session: Session, region_code: str, year: int) -> Policy:
    """The policy of one place and year; a Refusal if there is none yet."""
    found = policies_of(session, region_code, [year]).get(year)
    if found is None:
        raise Refusal("There is no policy for the year %(year)s yet.", year=year)
    return found


def cap_of_order(session: Session, order_id: int, year: int) -> Money | None:
    """The most that units may draw from one household that year, where this order's buyer is; None
    for a citizen's order."""
    region = session.scalar(
        sa.select(Organisation.region_code)
        .join(Order, Order.organisation_id == Organisation.id)
        .where(Order.id == order_id)
    )
    return None if region is None else policy_for(session, region, year).annual_cap


def counting_policy(policy: Policy) -> CountingPolicy:
    """The part of a policy that decides what counts."""
    return CountingPolicy(
        needs_review=policy.needs_review,
        countable_channels=frozenset(str(each) for each in policy.countable_channels),
        by_completion=policy.year_rule is YearRule.BY_COMPLETION,
        freight_counts=policy.freight_counts,
    )


def filings_of(session: Session, unit_id: int) -> list[Filing]:
    """Every version of every year, newest first, with what was frozen."""
    return list(
        session.scalars(
            sa.select(Filing)
            .where(Filing.unit_id == unit_id)
            .order_by(Filing.year.desc(), Filing.version.desc())
            .options(joinedload(Filing.frozen))
        )
    )


def filing_in_force(session: Session, unit_id: int, year: int) -> Filing | None:
    """The one filing of a year that counts."""
    return session.scalar(
        sa.select(Filing)
        .where(Filing.unit_id == unit_id, Filing.year == year, Filing.state.in_(IN_FORCE))
        .options(joinedload(Filing.frozen))
    )


def open_filing(session: Session, unit_id: int, year: int) -> Filing | None:
    """The version of a year that is still on its way, if there is one."""
    return session.scalar(
        sa.select(Filing)
        .where(
            Filing.unit_id == unit_id,
            Filing.year == year,
            Filing.state.in_(
                (
                    FilingState.DRAFT,
                    FilingState.SUBMITTED,
                    FilingState.CONFIRMED,
                    FilingState.RETURNED,
                )
            ),
        )
        .order_by(Filing.version.desc())
        .options(joinedload(Filing.frozen))
    )


def last_year(session: Session, unit_id: int, year: int) -> LastYear | None:
    """What was in force the year before, to compare with."""
    found = filing_in_force(session, unit_id, year - 1)
    return LastYear(base=found.base, reserved=found.reserved) if found else None


def declaration(session: Session, filing: Filing, unit: Unit) -> Declaration:
    """A filing as the rules read it."""
    representative = (
        session.get(Unit, filing.representative_id) if filing.representative_id else None
    )
    represents = session.scalar(
        sa.select(sa.func.count()).select_from(Unit).where(Unit.representative_id == unit.id)
    )
    return Declaration(
        unit_id=unit.id,
        canteen_type=filing.canteen_type.value,
        base=filing.base,
        ratio_bp=filing.ratio_bp,
        union_budget=filing.union_budget,
        exemption=filing.exemption,
        explanation=filing.explanation,
        contact=filing.contact,
        contact_phone=filing.contact_phone,
        diners=unit.diners,
        represents_others=bool(represents),
        representative=Representative(
            unit_id=representative.id,
            canteen_type=representative.canteen_type.value,
            represented=representative.representative_id is not None,
        )
        if representative
        else None,
    )


def filing_by_code(session: Session, code: str, scope: Scope) -> FrozenReceipt:
    """A submitted version by the code of its receipt, of a unit the reader may see."""
    version = session.scalar(
        sa.select(FrozenVersion).where(
            FrozenVersion.code == code.strip().upper(), FrozenVersion.subject.startswith("filing:")
        )
    )
    filing = None
    if version is not None:
        _, unit_id, year = version.subject.split(":")
        filing = session.scalar(
            sa.select(Filing)
            .join(Filing.unit)
            .join(Unit.organisation)
            .where(Filing.unit_id == int(unit_id), Filing.year == int(year), scope.holds())
            .order_by(Filing.version.desc())
            .limit(1)
            .options(joinedload(Filing.unit).joinedload(Unit.organisation))
        )
    if version is None or filing is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return FrozenReceipt(version, filing.unit)


@dataclass(frozen=True, slots=True)
class FrozenReceipt:
    """What was submitted, as it was submitted."""

    version: FrozenVersion
    unit: Unit


def filings_to_decide(
    session: Session,
    *,
    year: int,
    department_id: int | None = None,
    region_code: str | None = None,
) -> list[Filing]:
    """Filings on their way: of a department's units, or of a region's, oldest submission first."""
    scope: list[sa.ColumnElement[bool]] = [sa.true()]
    if department_id is not None:
        scope.append(Organisation.parent_id == department_id)
    if region_code is not None:
        scope.append(within(Organisation.region_code, prefixes(session, region_code)))
    return list(
        session.scalars(
            sa.select(Filing)
            .join(Filing.unit)
            .join(Unit.organisation)
            .where(Filing.year == year, *scope)
            .where(Filing.state != FilingState.SUPERSEDED, Filing.state != FilingState.DRAFT)
            .order_by(Filing.submitted_at, Filing.id)
            .options(
                joinedload(Filing.unit)
                .joinedload(Unit.organisation)
                .joinedload(Organisation.parent),
                joinedload(Filing.frozen),
            )
        )
    )


def filing_window(policy: Policy) -> tuple[date, date]:
    return policy.filing_from, policy.filing_to


def filings_before(session: Session, unit_ids: Sequence[int], year: int) -> dict[int, Filing]:
    """Unit id → its filing in force the year before."""
    found = session.scalars(
        sa.select(Filing).where(
            Filing.unit_id.in_(sorted(set(unit_ids))),
            Filing.year == year - 1,
            Filing.state.in_(IN_FORCE),
        )
    )
    return {filing.unit_id: filing for filing in found}

"""The statements under the figures: units with their filings, sums by basis and purpose."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from kernel.db import sum_money
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.periods import day_end
from orders.agencies.models import (
    Basis,
    Filing,
    FilingState,
    Purpose,
    QuotaMonth,
    QuotaMovement,
    Unit,
)
from orders.agencies.queries.scope import Scope


def units_with_filings(
    scope: Scope, year: int, as_of: date, channel: str | None
) -> sa.Select[*tuple[Any, ...]]:
    """Units with the version of their filing that was in effect on that day, and the day of their
    last order until then."""
    effective = _effective_versions(year, as_of)
    last = _last_orders(scope, year, as_of, channel)
    supervisor = aliased(Organisation)
    leading, leading_organisation = aliased(Unit), aliased(Organisation)
    return (
        sa.select(
            Unit.id,
            Organisation.name,
            Organisation.short_name,
            Organisation.region_code,
            Unit.kind,
            Unit.system,
            Unit.canteen_type,
            supervisor.id.label("supervisor_id"),
            supervisor.short_name.label("supervisor"),
            leading_organisation.short_name.label("representative"),
            Filing.state.label("filing_state"),
            Filing.canteen_type.label("filed_type"),
            Filing.base,
            Filing.ratio_bp,
            Filing.reserved,
            last.c.last_order_on,
        )
        .join(Unit.organisation)
        .outerjoin(last, last.c.unit_id == Unit.id)
        .outerjoin(supervisor, supervisor.id == Organisation.parent_id)
        .outerjoin(leading, leading.id == Unit.representative_id)
        .outerjoin(leading_organisation, leading_organisation.id == leading.organisation_id)
        .outerjoin(effective, effective.c.unit_id == Unit.id)
        .outerjoin(
            Filing,
            sa.and_(
                Filing.unit_id == Unit.id,
                Filing.year == year,
                Filing.version == effective.c.version,
            ),
        )
        .where(scope.holds())
        .order_by(Organisation.name, Unit.id)
    )


def _effective_versions(year: int, as_of: date) -> sa.Subquery:
    since = sa.func.coalesce(Filing.effective_at, Filing.confirmed_at, Filing.made_at)
    return (
        sa.select(Filing.unit_id, sa.func.max(Filing.version).label("version"))
        .where(
            Filing.year == year,
            Filing.state.in_([FilingState.EFFECTIVE, FilingState.NOTED, FilingState.SUPERSEDED]),
            since < day_end(as_of),
        )
        .group_by(Filing.unit_id)
        .subquery()
    )


def sums_of_units(
    session: Session, scope: Scope, year: int, until: date | None, channel: str | None
) -> dict[int, dict[tuple[Basis, Purpose], Money]]:
    """unit → (basis, purpose) → sum; from the roll-up unless a day or a channel is asked for."""
    source = QuotaMovement if until is not None or channel else QuotaMonth
    query = (
        sa.select(source.unit_id, source.basis, source.purpose, sum_money(source.amount))
        .where(source.year == year, source.unit_id.in_(scope.unit_ids()))
        .group_by(source.unit_id, source.basis, source.purpose)
    )
    if until is not None:
        query = query.where(QuotaMovement.on <= until)
    if channel:
        query = query.where(QuotaMovement.channel == channel)
    found: dict[int, dict[tuple[Basis, Purpose], Money]] = defaultdict(dict)
    for unit_id, basis, purpose, amount in session.execute(query):
        found[unit_id][(basis, purpose)] = amount
    return found


def _last_orders(scope: Scope, year: int, as_of: date, channel: str | None) -> sa.Subquery:
    found = (
        sa.select(QuotaMovement.unit_id, sa.func.max(QuotaMovement.on).label("last_order_on"))
        .where(
            QuotaMovement.year == year,
            QuotaMovement.basis == Basis.ORDERED,
            QuotaMovement.amount > ZERO,
            QuotaMovement.on <= as_of,
            QuotaMovement.unit_id.in_(scope.unit_ids()),
        )
        .group_by(QuotaMovement.unit_id)
    )
    if channel:
        found = found.where(QuotaMovement.channel == channel)
    return found.subquery()

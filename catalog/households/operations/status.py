"""The official status of a household, as somebody else decided it."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household, HouseholdStatus, MonitorType, RiskStatus
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy


def record_status(
    session: Session,
    household_id: int,
    *,
    lifted: bool,
    monitor_type: MonitorType,
    risk_status: RiskStatus,
    as_of: date,
    source: str,
    by: Actor,
    now: datetime,
) -> HouseholdStatus:
    """The official status as somebody else decided it, with source and date. Never ours (§5.4).

    The same status of the same day and source again changes nothing.
    """
    household = get_or_missing(session, Household, household_id)
    source = tidy(source)
    if not source:
        raise Invalid({"source": Text("Name who decided it: there is no status without a source.")})
    if as_of > business_day(now):
        raise Invalid({"as_of": Text("Choose %(day)s or earlier.", day=business_day(now))})
    if monitor_type is MonitorType.UNSTABLE and not lifted:
        raise Invalid(
            {"monitor_type": Text("Only a household once lifted out of poverty can be unstable.")}
        )
    if monitor_type is MonitorType.MARGINAL and lifted:
        raise Invalid(
            {"monitor_type": Text("A household once lifted out of poverty is never marginal.")}
        )
    known = session.scalar(
        sa.select(HouseholdStatus).where(
            HouseholdStatus.household_id == household.id,
            HouseholdStatus.as_of == as_of,
            HouseholdStatus.source == source,
        )
    )
    if known is not None:
        if (known.lifted, known.monitor_type, known.risk_status) == (
            lifted,
            monitor_type,
            risk_status,
        ):
            return known
        raise Refusal("%(source)s already gave another status for that day.", source=source)
    status = HouseholdStatus(
        household_id=household.id,
        lifted=lifted,
        monitor_type=monitor_type,
        risk_status=risk_status,
        as_of=as_of,
        source=source,
        **stamp(by, now),
    )
    session.add(status)
    audit.note(session, "record_status", f"household:{household.id}", by=by, now=now)
    return status

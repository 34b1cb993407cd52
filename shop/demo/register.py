"""What happens to the register after everybody is in it: a helper changes, a daughter marries, a
risk is gone, and somebody at the county reads a name in clear."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import HouseholdMember, MonitorType, RiskStatus
from catalog.households.operations import (
    assign_helper,
    leave_household,
    record_status,
    reveal,
)
from catalog.households.rules import Detail
from kernel.actors import Door, Role
from kernel.periods import business_day
from shop.demo.people import HELPERS_PER_VILLAGE
from shop.demo.town import Event, Home, Town, at

SOURCE = "黔江区防返贫监测系统导出"
_READS = (
    (6, Detail.NAME, "核对消费帮扶台账与发放名单"),
    (5, Detail.IDENTITY, "群众来电反映未到账，核实本人"),
    (2, Detail.NAME, "抽查收购单，电话回访"),
)


def plan_register(town: Town) -> None:
    """A few ordinary changes, each some time before today."""
    families = [home for home in town.homes if home.registered and home.people >= 4]
    for place, home in enumerate(families[3:60:11]):
        _plan(town, 40 + 9 * place, _change_helper, home)
    for place, home in enumerate(families[5:40:17]):
        _plan(town, 70 + 20 * place, _marry, home)
    for home in families[8:10]:
        _plan(town, 21, _risk_is_gone, home)
    for home, (days, detail, reason) in zip(families[::13], _READS, strict=False):
        _plan(town, days, _read, home, detail, reason)


def _plan(town: Town, days: int, event: Event, *given: Any) -> None:
    """So many days ago, unless the story is shorter than that."""
    day = town.span.today - timedelta(days=days)
    if day > town.span.begin + timedelta(days=7):
        town.plan(at(day, 10, 20), event, town, *given)


def _change_helper(town: Town, home: Home, session: Session, now: datetime) -> None:
    others = HELPERS_PER_VILLAGE * town.scale
    helper = town.actor(home.village, Role.HELPER, (home.number + 1) % others).user_id
    assert helper is not None
    assign_helper(
        session, town.households[home.number], helper, valid_from=business_day(now),
        by=town.actor("township", Role.OFFICIAL), now=now,
    )  # fmt: skip


def _marry(town: Town, home: Home, session: Session, now: datetime) -> None:
    household = town.households[home.number]
    daughter = session.scalar(
        sa.select(HouseholdMember.id).where(
            HouseholdMember.household_id == household, HouseholdMember.relation == "之女"
        )
    )
    if daughter is not None:
        leave_household(
            session, household, daughter, left_on=business_day(now) - timedelta(days=9),
            why="出嫁", by=town.actor("township", Role.OFFICIAL), now=now,
        )  # fmt: skip


def _risk_is_gone(town: Town, home: Home, session: Session, now: datetime) -> None:
    record_status(
        session, town.households[home.number], lifted=True, monitor_type=MonitorType.UNSTABLE,
        risk_status=RiskStatus.RESOLVED_STEADILY, as_of=business_day(now) - timedelta(days=6),
        source=SOURCE, by=town.actor("township", Role.OFFICIAL).through(Door.IMPORT), now=now,
    )  # fmt: skip


def _read(
    town: Town, home: Home, detail: Detail, reason: str, session: Session, now: datetime
) -> None:
    reveal(
        session, town.households[home.number], detail, reason=reason,
        by=town.actor("district", Role.DISTRICT), now=now,
    )  # fmt: skip

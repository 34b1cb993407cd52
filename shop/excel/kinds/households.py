"""Households: one row each, and one more for every further plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots.models import WeighSlip
from kernel.errors import Text
from kernel.people import Membership
from kernel.regions import Region, within
from shop.excel.columns import Desk, Kind, Row
from shop.excel.kinds.household_columns import COLUMNS
from shop.excel.kinds.household_rows import Handling, Holding, holdings

_AT_ONCE = 500


class _Households(Kind):
    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> Handling:
        return Handling(session, desk, rows, now)

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        """By village, group and name. A cooperative's are those it buys from or registered."""
        query = sa.select(Household.id).order_by(
            Household.region_code, Household.group_no, Household.pinyin, Household.id
        )
        if desk.prefixes:
            query = query.where(within(Household.region_code, list(desk.prefixes)))
        if desk.supplier is not None:
            query = query.where(_own(desk))
        ids = list(session.scalars(query))
        villages = _villages(session, desk)
        for start in range(0, len(ids), _AT_ONCE):
            for held in holdings(session, ids[start : start + _AT_ONCE]):
                yield from _rows(held, villages)
            session.expunge_all()


def _own(desk: Desk) -> sa.ColumnElement[bool]:
    assert desk.supplier is not None
    brought = sa.select(WeighSlip.household_id).where(WeighSlip.supplier_id == desk.supplier.id)
    colleagues = sa.select(Membership.user_id).where(
        Membership.organisation_id == desk.supplier.organisation_id
    )
    return sa.or_(Household.id.in_(brought), Household.made_by_id.in_(colleagues))


def _villages(session: Session, desk: Desk) -> dict[str, str]:
    """Code → the name, or the code itself where two villages share a name."""
    query = sa.select(Region.code, Region.name)
    if desk.prefixes:
        query = query.where(within(Region.code, list(desk.prefixes)))
    found = {code: short_name(name) for code, name in session.execute(query)}
    names = list(found.values())
    twice = {name for name in names if names.count(name) > 1} if len(names) < 2000 else set(names)
    return {code: code if name in twice else name for code, name in found.items()}


def _rows(held: Holding, villages: dict[str, str]) -> Iterator[dict[str, Any]]:
    whole = held.values | {"village": villages.get(held.values["village"], held.values["village"])}
    if held.statuses:
        as_of, source = max(held.statuses)
        lifted, monitor, risk = held.statuses[as_of, source]
        whole |= {
            "lifted": lifted, "monitor": monitor, "risk": risk, "as_of": as_of, "source": source
        }  # fmt: skip
    plots = [
        {"place": place, "crop": crop, "area": area, "year": year}
        for (place, crop, year), area in held.plots.items()
    ]
    for plot in plots or [{}]:
        yield whole | plot


HOUSEHOLDS = _Households(
    key="households",
    title=Text("Households"),
    about=Text("Who grows for you: name, village and group, account, and the plots of the year."),
    columns=COLUMNS,
    labels=("name", "village", "group"),
    fields={"region_code": "village", "number": "account", "monitor_type": "monitor"},
)

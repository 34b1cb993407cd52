"""Areas, villages and statuses of many households at once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household, HouseholdStatus, Plot
from kernel.db import sum_whole
from kernel.regions import Level, Region, within


def plot_area(session: Session, household_id: int, *, crop: str, year: int) -> int:
    """Hundredths of a mu this household grows of a crop that year."""
    return (
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(Plot.area_mu_100), 0)).where(
                Plot.household_id == household_id,
                Plot.crop == crop,
                Plot.year == year,
                Plot.retired_on.is_(None),
            )
        )
        or 0
    )


def plot_areas(session: Session, household_id: int, *, year: int) -> dict[str, int]:
    """Crop (a product's code) → hundredths of a mu of it that year."""
    rows = session.execute(
        sa.select(Plot.crop, sum_whole(Plot.area_mu_100))
        .where(Plot.household_id == household_id, Plot.year == year, Plot.retired_on.is_(None))
        .group_by(Plot.crop)
    )
    return {crop: int(area) for crop, area in rows}


def villages(session: Session, township_code: str) -> list[Region]:
    """The villages and communities of a township that are still valid, by code."""
    return list(
        session.scalars(
            sa.select(Region)
            .where(
                Region.parent_code == township_code,
                Region.level == Level.VILLAGE,
                Region.successor_code.is_(None),
            )
            .order_by(Region.code)
        )
    )


def count_by_village(session: Session, prefixes: Sequence[str]) -> dict[str, int]:
    """Village code → households. For the public, `shown_count` of it."""
    counts = session.execute(
        sa.select(Household.region_code, sa.func.count())
        .where(within(Household.region_code, list(prefixes)))
        .group_by(Household.region_code)
        .order_by(Household.region_code)
    )
    return {code: count for code, count in counts}  # noqa: C416  rows are not pairs to mypy


def latest_statuses(session: Session, household_ids: Sequence[int]) -> dict[int, HouseholdStatus]:
    """The newest imported status of each of these households."""
    newest = (
        sa.select(
            HouseholdStatus.id,
            sa.func.row_number()
            .over(
                partition_by=HouseholdStatus.household_id,
                order_by=(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc()),
            )
            .label("place"),
        )
        .where(HouseholdStatus.household_id.in_(household_ids))
        .subquery()
    )
    return {
        status.household_id: status
        for status in session.scalars(
            sa.select(HouseholdStatus)
            .join(newest, newest.c.id == HouseholdStatus.id)
            .where(newest.c.place == 1)
        )
    }

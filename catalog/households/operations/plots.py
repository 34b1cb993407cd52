"""The fields of a household: written down, put right, retired."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.households.models import Household, Plot
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Text
from kernel.periods import business_day
from kernel.text import tidy

# A family tills a few mu; more than this is a slip of the decimal point.
MOST_MU_100 = 500_00


def add_plot(
    session: Session,
    household_id: int,
    *,
    place: str,
    area_mu_100: int,
    crop: str,
    year: int,
    by: Actor,
    now: datetime,
) -> Plot:
    """A field and what grows on it this year; `crop` is a product's code."""
    household = get_or_missing(session, Household, household_id)
    _check(area_mu_100)
    plot = Plot(
        household_id=household.id,
        place=tidy(place),
        area_mu_100=area_mu_100,
        crop=crop,
        year=year,
        **stamp(by, now),
    )
    session.add(plot)
    audit.note(
        session, "add_plot", f"household:{household.id}", by=by, now=now, crop=crop, year=year
    )
    return plot


def correct_plot(
    session: Session,
    household_id: int,
    plot_id: int,
    *,
    place: str,
    area_mu_100: int,
    crop: str,
    year: int,
    by: Actor,
    now: datetime,
) -> Plot:
    """The field as it really is; the trail keeps what stood there. The same changes nothing."""
    plot = _standing(session, household_id, plot_id)
    _check(area_mu_100)
    before = {
        "place": plot.place, "area_mu_100": plot.area_mu_100, "crop": plot.crop, "year": plot.year,
    }  # fmt: skip
    after = {"place": tidy(place), "area_mu_100": area_mu_100, "crop": crop, "year": year}
    if after == before:
        return plot
    for column, value in after.items():
        setattr(plot, column, value)
    audit.note(
        session, "correct_plot", f"household:{plot.household_id}", by=by, now=now,
        plot=plot.id, **{f"was_{column}": value for column, value in before.items()},
    )  # fmt: skip
    return plot


def retire_plot(
    session: Session, household_id: int, plot_id: int, *, why: str, by: Actor, now: datetime
) -> Plot:
    """It counts for nothing any more (leased out, flooded, entered twice) and stays readable."""
    plot = _standing(session, household_id, plot_id)
    if not tidy(why):
        raise Invalid({"why": Text("Please fill this in.")})
    plot.retired_on, plot.retired_why = business_day(now), tidy(why)[:120]
    audit.note(
        session, "retire_plot", f"household:{plot.household_id}", by=by, now=now,
        plot=plot.id, why=plot.retired_why,
    )  # fmt: skip
    return plot


def _standing(session: Session, household_id: int, plot_id: int) -> Plot:
    get_or_missing(session, Household, household_id, lock=True)
    plot = session.get(Plot, plot_id, populate_existing=True)
    if plot is None or plot.household_id != household_id or plot.retired_on is not None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return plot


def _check(area_mu_100: int) -> None:
    errors: dict[str, Text] = {}
    if area_mu_100 <= 0:
        errors["area"] = Text("Enter an area above zero.")
    elif area_mu_100 > MOST_MU_100:
        errors["area"] = Text("A field has at most %(most)s mu.", most=MOST_MU_100 // 100)
    if errors:
        raise Invalid(errors)

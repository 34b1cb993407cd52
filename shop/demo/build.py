"""Builds the sample township through the operations, from the seed alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import COMMAND
from kernel.audit import AuditEntry
from kernel.codes import codes_from
from kernel.errors import Refusal
from kernel.outbox import Job, JobState, enqueue
from kernel.people import User
from kernel.periods import business_day
from kernel.services import Services
from shop.demo import accounts, homes, market, menus, people, shelf, supply, tables
from shop.demo.carrying import plan_carrying
from shop.demo.filings import plan_filings
from shop.demo.harvest import brought_in, plan_harvest, share_among_homes
from shop.demo.linkage import plan_linkage
from shop.demo.mistakes import plan_mistakes
from shop.demo.names import Names
from shop.demo.people import unit_key
from shop.demo.sign_ins import give_password
from shop.demo.store import plan_store
from shop.demo.story import plan_story
from shop.demo.supply import Span
from shop.demo.today import asked_for_money_back, parcels_of_today, specials
from shop.demo.town import Town, at
from shop.schema import is_current

# Citizens' orders last year and this year.
PARCELS = (60, 150)
FINISHED = "finish_sample"

Say = Callable[[str], None]


def build(
    services: Services,
    folder: Path,
    *,
    seed: int = 1,
    scale: int = 1,
    days: int | None = None,
    say: Say = print,
) -> bool:
    """Fill an empty database with the sample township; False when there is one already.

    The same seed on the same day makes the same township. `days` shortens its story. Refused in
    production, and over anybody else's data.
    """
    if services.config.production:
        raise Refusal("Sample data does not belong into production.")
    if not is_current(services.database):
        raise Refusal("The database is not at the newest version: run flask db upgrade first.")
    with services.database.reading() as session:
        there = _what_is_there(session)
    if there == "sample":
        give_password(services, folder)
        say("The sample township is here already; nothing was changed.")
        return False
    if there:
        raise Refusal("This database holds other data; start with an empty one.")
    with codes_from(Random(f"{seed}:codes")), _fewer_collections():  # noqa: S311  samples
        _build(services, seed, scale, days, say)
    give_password(services, folder)
    return True


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Millions of short-lived rows come and go; looking for cycles among them costs a tenth."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _what_is_there(session: Session) -> str:
    if session.scalar(sa.select(AuditEntry.id).where(AuditEntry.action == FINISHED).limit(1)):
        return "sample"
    return "other" if session.scalar(sa.select(User.id).limit(1)) else ""


def _build(services: Services, seed: int, scale: int, days: int | None, say: Say) -> None:
    town = Town(
        services=services,
        span=_span(business_day(services.clock()), days),
        seed=seed,
        scale=scale,
        names=Names(Random(f"{seed}:names")),  # noqa: S311
    )
    town.homes = homes.plan_homes(town.chance("crops"), scale)
    grids = _grids(town)
    parcels = _parcels(town)
    wanted = supply.demands(
        [*(grid for _, _, grid in grids), *(each.grid for each in specials(town))],
        [*parcels, *parcels_of_today(town), *asked_for_money_back(town)],
    )
    stores = supply.plan(wanted, town.span, town.chance("supply"))
    mornings = share_among_homes(stores.intakes, town.homes, town.chance("loads"))
    _settle(town, brought_in(mornings), say)
    shelf.plan_decisions(town)
    plan_filings(town)
    plan_harvest(town, mornings, stores.makings)
    plan_linkage(town)
    plan_carrying(town)
    plan_story(town, grids, parcels)
    plan_store(town)
    plan_mistakes(town)
    town.tell(_progress(say))
    with services.database.transaction() as session:
        market.open_market(town, session, services.clock())
    with services.database.transaction() as session:
        accounts.open_accounts(town, session, services.clock())
    with services.database.transaction() as session:
        _finish(session, town)


def _span(today: date, days: int | None) -> Span:
    begin = date(today.year - 2, 12, 1)
    if days is not None:
        begin = max(begin, today - timedelta(days=days))
    return Span(begin=begin, trade=begin + timedelta(days=14), today=today)


def _grids(town: Town) -> list[tuple[tables.UnitRow, str, menus.Grid]]:
    found = []
    for copy in range(town.scale):
        for row in tables.units():
            key = unit_key(row.key, copy)
            chance = town.chance(f"grids:{key}")
            for year in range(town.span.today.year - 1, town.span.today.year + 1):
                grids = menus.grids_of(row, year, town.span.today, chance)
                found += [(row, key, grid) for grid in grids if grid.day > town.span.trade]
    return found


def _parcels(town: Town) -> list[menus.Parcel]:
    found = []
    for year, count in zip((town.span.today.year - 1, town.span.today.year), PARCELS, strict=True):
        chance = town.chance(f"parcels:{year}")
        found += menus.parcels(year, count * town.scale, town.span.today, chance)
    return [parcel for parcel in found if parcel.day > town.span.trade]


def _settle(town: Town, brought: dict[tuple[int, str, int], int], say: Say) -> None:
    say("People, cooperatives, canteens, households …")
    now = at(town.span.begin, 9)
    database = town.services.database
    steps: list[Callable[[Session], None]] = [
        lambda session: people.settle_bodies(town, session, now),
        lambda session: people.settle_suppliers(town, session, now),
        lambda session: people.settle_units(town, session, now),
        lambda session: shelf.stock_shelf(town, session, now),
        lambda session: homes.settle_homes(town, session, now),
        lambda session: homes.settle_plots(town, session, brought, now),
    ]
    for step in steps:
        with database.transaction() as session:
            step(session)


def _progress(say: Say) -> Callable[[date], None]:
    told: set[tuple[int, int]] = set()

    def tell(day: date) -> None:
        month = (day.year, day.month)
        if month not in told:
            told.add(month)
            say(f"{day:%Y-%m} …")

    return tell


def _finish(session: Session, town: Town) -> None:
    """No letter of the sample is ever sent, and no refund asked for again."""
    now = town.services.clock()
    session.execute(
        sa.update(Job)
        .where(Job.state == JobState.READY)
        .values(state=JobState.DONE, finished_at=now)
    )
    enqueue(session, "self_check", now=now)  # the worker proves it as soon as it runs
    audit.note(
        session, FINISHED, f"sample:{town.seed}", by=COMMAND, now=now, scale=town.scale,
        missed=len(town.misses),
    )  # fmt: skip

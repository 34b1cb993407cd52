"""The sample as it comes into being: who is who, what was made, and what happens when."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from kernel.actors import Actor, Door, Role
from kernel.periods import day_start
from kernel.services import Services
from shop.demo.names import Names
from shop.demo.supply import Span

# Called with what was given when it was planned, then the session and the moment.
Event = Callable[..., object]

# The last days are committed event by event, so that the audit trail of yesterday reads like life.
DAYS_IN_DETAIL = 7


@dataclass(frozen=True, slots=True)
class Home:
    """A household of the sample, with what it grows."""

    number: int
    village: str
    group_no: int
    registered: bool
    people: int
    surname: str
    crops: tuple[str, ...]


@dataclass(slots=True)
class Town:
    """Everything that later steps look up, by the keys of the tables."""

    services: Services
    span: Span
    seed: int
    scale: int
    names: Names
    agenda: list[tuple[datetime, int, Event, tuple[Any, ...]]] = field(default_factory=list)
    serial: Iterator[int] = field(default_factory=count)
    bodies: dict[str, int] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    staff: dict[tuple[str, Role, int], Actor] = field(default_factory=dict)
    suppliers: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    packs: dict[tuple[str, int], int] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    households: dict[int, int] = field(default_factory=dict)
    citizen: int = 0
    invoices: int = 0
    # Wishes that the store could not serve; a few are like life, many would be a bad plan.
    misses: list[str] = field(default_factory=list)

    def chance(self, subject: str) -> Random:
        """A source of its own for every subject: one more draw here changes nothing there."""
        return Random(f"{self.seed}:{subject}")  # noqa: S311  samples, not secrets

    def actor(self, body: str, role: Role, number: int = 0) -> Actor:
        return self.staff[body, role, number]

    def plan(self, moment: datetime, event: Event, *given: Any) -> None:
        """It will happen then, unless then is after the end of the story."""
        if moment <= self.services.clock():
            heapq.heappush(self.agenda, (moment, next(self.serial), event, given))

    def tell(self, progress: Callable[[date], None]) -> None:
        """Let everything happen in order, one transaction a day, at last one per event."""
        while self.agenda:
            day = _day(self.agenda[0][0])
            progress(day)
            one_by_one = day > self.span.today - timedelta(days=DAYS_IN_DETAIL)
            with self._transaction(single=not one_by_one) as begin:
                while self.agenda and _day(self.agenda[0][0]) == day:
                    moment, _, event, given = heapq.heappop(self.agenda)
                    with begin() as session:
                        event(*given, session, moment)

    @contextmanager
    def _transaction(
        self, *, single: bool
    ) -> Iterator[Callable[[], AbstractContextManager[Session]]]:
        database = self.services.database
        if not single:
            yield database.transaction
            return
        with database.transaction() as session:

            @contextmanager
            def same() -> Iterator[Session]:
                yield session

            yield same


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """That time on the wall in Shanghai."""
    return day_start(day) + timedelta(hours=hour, minutes=minute)


def _day(instant: datetime) -> date:
    return (instant + timedelta(hours=8)).date()


def person(user_id: int, role: Role, organisation_id: int, region: str) -> Actor:
    return Actor(
        door=Door.WEB,
        user_id=user_id,
        role=role,
        organisation_id=organisation_id,
        region_code=region,
    )

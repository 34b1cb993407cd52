"""The worker: puts scheduled jobs into the outbox, does what is due, and shows that it lives."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from cronsim import CronSim
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from kernel.outbox import SCHEDULES, Heartbeat, Job, enqueue, run_one
from kernel.periods import SHANGHAI
from kernel.services import Services

log = structlog.get_logger("worker")

IDLE_SECONDS = 1.0
BEAT = timedelta(seconds=15)
# A schedule that was missed while no worker ran is made up for, once, if it is this recent.
LOOK_BACK = timedelta(hours=26)


class Worker:
    """One process that works. Several may run beside one another."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}"
        self._last_beat: datetime | None = None

    def drain(self) -> int:
        """Do all that is due now; returns how many jobs were done."""
        now = self._services.clock()
        self._beat(now)
        enqueue_due(self._services, now)
        done = 0
        while run_one(self._services, self.name, self._services.clock()):
            done += 1
        return done

    def run_until(self, stop: threading.Event) -> None:
        """Work until `stop` is set; the job in hand is finished first."""
        log.info("worker begins", worker=self.name)
        while not stop.is_set():
            try:
                worked = self._turn()
            except SQLAlchemyError:
                # The database is away for a moment: wait for it instead of dying with it.
                log.warning("database does not answer", exc_info=True)
                stop.wait(5)
                continue
            if not worked:
                stop.wait(IDLE_SECONDS)
        log.info("worker ends", worker=self.name)

    def _turn(self) -> bool:
        now = self._services.clock()
        if self._last_beat is None or now - self._last_beat >= BEAT:
            self._beat(now)
            enqueue_due(self._services, now)
        return run_one(self._services, self.name, now)

    def _beat(self, now: datetime) -> None:
        with self._services.database.transaction() as session:
            beat(session, self.name, now)
        self._last_beat = now


def beat(session: Session, worker: str, now: datetime) -> None:
    """This worker was seen now; those not seen for a day are forgotten."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(Heartbeat)
        .values(worker=worker, at=now)
        .on_conflict_do_update(index_elements=["worker"], set_={"at": now})
    )
    session.execute(sa.delete(Heartbeat).where(Heartbeat.at < now - timedelta(days=1)))


def enqueue_due(services: Services, now: datetime) -> None:
    """Every schedule whose last moment has passed is in the outbox, once for that moment."""
    ticks = {name: last_tick(cron, now) for name, cron in SCHEDULES.items()}
    due = {f"cron:{name}:{tick:%Y-%m-%dT%H:%M}": name for name, tick in ticks.items() if tick}
    with services.database.reading() as session:
        known = set(session.scalars(sa.select(Job.unique_key).where(Job.unique_key.in_(due))))
    for key in sorted(due.keys() - known):
        # Another worker may be faster with the same key.
        with suppress(IntegrityError), services.database.transaction() as session:
            enqueue(session, due[key], now=now, unique_key=key)


def last_tick(cron: str, now: datetime) -> datetime | None:
    """The latest moment of this schedule that is not in the future; Shanghai time."""
    local = now.astimezone(SHANGHAI)
    tick: datetime | None = None
    for each in CronSim(cron, local - LOOK_BACK):
        if each > local:
            break
        tick = each
    return tick

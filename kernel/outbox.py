"""Work for later, written in the same transaction as what caused it, done by `flask worker`.

Two kinds of job: a *task* changes rows and is marked done in the same transaction, so its effect
happens exactly once; an *errand* speaks to the outside first (mail, payment provider), outside any
transaction, and must be harmless when repeated.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel import audit
from kernel.actors import Actor
from kernel.db import Database, Model, get_or_missing
from kernel.errors import Refusal
from kernel.labels import Labelled
from kernel.services import Services

log = structlog.get_logger("worker")

LEASE = timedelta(seconds=90)


class JobState(Labelled):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(Model):
    __tablename__ = "jobs"
    __audited__ = False
    __table_args__ = (sa.Index("ix_jobs_due", "state", "run_at"),)

    name: Mapped[str] = mapped_column(sa.String(60))
    arguments: Mapped[dict[str, Any]]
    state: Mapped[JobState] = mapped_column(default=JobState.READY)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    most_attempts: Mapped[int] = mapped_column(default=8)
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None] = mapped_column(sa.String(60))
    error: Mapped[str | None] = mapped_column(sa.Text)
    unique_key: Mapped[str | None] = mapped_column(sa.String(160), unique=True)
    finished_at: Mapped[datetime | None]


class Heartbeat(Model):
    """When a worker was last seen."""

    __tablename__ = "heartbeats"
    __audited__ = False

    worker: Mapped[str] = mapped_column(sa.String(60), unique=True)
    at: Mapped[datetime]


Task = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Handler:
    run: Task
    outside: bool


HANDLERS: dict[str, Handler] = {}
SCHEDULES: dict[str, str] = {}


def task(name: str, *, cron: str | None = None) -> Callable[[Task], Task]:
    """Register `f(session, *, now, **arguments)`. `cron` is read in Asia/Shanghai."""
    return _register(name, outside=False, cron=cron)


def errand(name: str, *, cron: str | None = None) -> Callable[[Task], Task]:
    """Register `f(services, *, now, **arguments)`, which opens its own transactions."""
    return _register(name, outside=True, cron=cron)


def _register(name: str, *, outside: bool, cron: str | None) -> Callable[[Task], Task]:
    def keep(run: Task) -> Task:
        assert name not in HANDLERS, name
        HANDLERS[name] = Handler(run, outside)
        if cron:
            SCHEDULES[name] = cron
        return run

    return keep


def enqueue(
    session: Session,
    name: str,
    /,
    *,
    now: datetime,
    run_at: datetime | None = None,
    unique_key: str | None = None,
    **arguments: Any,
) -> None:
    """The job exists exactly if this transaction commits; a repeated `unique_key` adds nothing."""
    if unique_key and session.scalar(sa.select(Job.id).where(Job.unique_key == unique_key)):
        return
    session.add(Job(name=name, arguments=arguments, run_at=run_at or now, unique_key=unique_key))


def list_jobs(
    session: Session, *, state: JobState | None = None, offset: int = 0, limit: int = 50
) -> list[Job]:
    """Newest first; all states or one."""
    jobs = sa.select(Job).order_by(Job.id.desc()).offset(offset).limit(limit)
    return list(session.scalars(jobs if state is None else jobs.where(Job.state == state)))


def count_by_state(session: Session) -> dict[JobState, int]:
    """How many jobs are in each state; every state is named."""
    found = session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state))
    return dict.fromkeys(JobState, 0) | dict(found.all())


def workers_seen(session: Session) -> list[Heartbeat]:
    """Workers and when each was last seen, the latest first."""
    return list(session.scalars(sa.select(Heartbeat).order_by(Heartbeat.at.desc()).limit(20)))


def retry_job(session: Session, job_id: int, *, by: Actor, now: datetime) -> None:
    """A job that was given up is tried again from the beginning. Any other job is left alone."""
    job = get_or_missing(session, Job, job_id, lock=True)
    if job.state is not JobState.DEAD:
        raise Refusal("Only a job that was given up can be tried again.")
    job.state, job.attempts, job.run_at = JobState.READY, 0, now
    audit.note(session, "retry_job", f"job:{job.id}", by=by, now=now, name=job.name)


def run_one(services: Services, worker: str, now: datetime) -> bool:
    """Claim and do one due job. False if there was none."""
    job = _claim(services.database, worker, now)
    if job is None:
        return False
    handler = HANDLERS.get(job.name)
    try:
        if handler is None:
            raise LookupError(f"no handler for job {job.name!r}")  # noqa: TRY301
        if handler.outside:
            handler.run(services, now=now, **job.arguments)
        with services.database.transaction() as session:
            if not handler.outside:
                handler.run(session, now=now, **job.arguments)
            _finish(session, job.id, worker, now, forget=handler.outside)
    except Exception:  # whatever a job raises is kept and tried again, never lost
        log.warning("job failed", job=job.name, id=job.id, exc_info=True)
        with services.database.transaction() as session:
            _postpone(session, job, worker, now)
    return True


def _claim(database: Database, worker: str, now: datetime) -> sa.Row[Any] | None:
    due = sa.or_(
        sa.and_(Job.state == JobState.READY, Job.run_at <= now),
        sa.and_(Job.state == JobState.RUNNING, Job.leased_until < now),
    )
    with database.reading() as session:
        if session.scalar(sa.select(Job.id).where(due).limit(1)) is None:
            return None
    with database.transaction() as session:
        first = sa.select(Job.id).where(due).order_by(Job.run_at, Job.id).limit(1)
        return session.execute(
            sa.update(Job)
            .where(Job.id == first.with_for_update(skip_locked=True).scalar_subquery())
            .values(
                state=JobState.RUNNING,
                attempts=Job.attempts + 1,
                leased_until=now + LEASE,
                leased_by=worker,
            )
            .returning(Job.id, Job.name, Job.arguments, Job.attempts, Job.most_attempts)
        ).first()


def _finish(session: Session, job_id: int, worker: str, now: datetime, *, forget: bool) -> None:
    """`forget` what has left the house: mails hold names, addresses and one-time links."""
    told: dict[str, Any] = {"arguments": {}} if forget else {}
    done = session.execute(
        sa.update(Job)
        .where(Job.id == job_id, Job.leased_by == worker, Job.state == JobState.RUNNING)
        .values(state=JobState.DONE, leased_until=None, finished_at=now, error=None, **told)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise RuntimeError("the lease ran out; another worker has the job")


def _postpone(session: Session, job: sa.Row[Any], worker: str, now: datetime) -> None:
    dead = job.attempts >= job.most_attempts
    session.execute(
        sa.update(Job)
        .where(Job.id == job.id, Job.leased_by == worker)
        .values(
            state=JobState.DEAD if dead else JobState.READY,
            error=traceback.format_exc()[-2000:],
            run_at=now + timedelta(seconds=min(3600, 2**job.attempts)),
            leased_until=None,
        )
    )

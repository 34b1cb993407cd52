"""What nobody will need again goes at night: used form tokens and codes, jobs long done."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import once, proving
from kernel.outbox import Job, JobState, task

JOBS_KEPT_FOR = timedelta(days=90)


@task("tidy_up", cron="40 3 * * *")
def tidy_up(session: Session, *, now: datetime) -> None:
    """Form tokens of last month, old codes and jobs of last quarter are forgotten.

    A job with a key of its own stays: the key is what keeps it from being done again.
    """
    once.forget(session, now=now)
    proving.forget(session, now=now)
    session.execute(
        sa.delete(Job).where(
            Job.state == JobState.DONE,
            Job.finished_at < now - JOBS_KEPT_FOR,
            sa.or_(Job.unique_key.is_(None), Job.unique_key.like("cron:%")),
        )
    )

"""The database work of one request: read with `session()`, change with `transaction()`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from flask import current_app, g

from kernel.db import Work
from kernel.periods import business_day
from kernel.services import Services


def services() -> Services:
    found: Services = current_app.extensions["services"]
    return found


def now() -> datetime:
    """The instant of this request; the same for all it does."""
    if "now" not in g:
        g.now = services().clock()
    instant: datetime = g.now
    return instant


def today() -> date:
    """The business day of this request, in Shanghai."""
    return business_day(now())


def session() -> Work:
    """The reading session of this request."""
    if "reading" not in g:
        g.reading = services().database.reading()
    opened: Work = g.reading
    return opened


@contextmanager
def transaction() -> Iterator[Work]:
    """All of it or none of it. The reading session ends first: what it loaded may be out of date.

    The first transaction of a form claims the form's token (`kernel.web.once`) before anything
    else: the work and the memory of having done it are committed together.
    """
    close_reading()
    claim = g.pop("claim", None)
    try:
        with services().database.transaction() as work:
            if claim is not None:
                claim(work)
            yield work
    except BaseException:
        # Rolled back: nothing was done, so a later transaction of this request claims again.
        if claim is not None:
            g.claim = claim
        raise


def close_reading(_error: BaseException | None = None) -> None:
    opened = g.pop("reading", None)
    if opened is not None:
        opened.close()

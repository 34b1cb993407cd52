"""What changes slowly and costs much to count is counted at most once a minute by each process.

Only for public pages, and only for what they show in passing: lists of filters, counts of villages,
the year's sum on the home page. No rule reads it; `/impact` itself always counts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from kernel.web.work import now, services

FRESH = timedelta(minutes=1)
# More than this and what is no longer fresh is forgotten; a day of a large shop stays below it.
MOST = 20_000

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
_kept: WeakKeyDictionary[Engine, dict[Hashable, tuple[datetime, Any]]] = WeakKeyDictionary()


def remembered_each(keys: Iterable[K], count: Callable[[list[K]], Mapping[K, T]]) -> dict[K, T]:
    """The same for many keys at once: `count` is asked for those that are not known, if any."""
    kept = _kept.setdefault(services().database.engine, {})
    known: dict[K, T] = {}
    missing: list[K] = []
    for key in keys:
        found = kept.get(key)
        if found is not None and found[0] <= now() < found[0] + FRESH:
            known[key] = found[1]
        else:
            missing.append(key)
    if missing:
        for key, value in count(missing).items():
            _keep(kept, key, value)
            known[key] = value
    return known


def remembered(key: Hashable, count: Callable[[], T]) -> T:
    """What `count` answered within the last minute, or answers now."""
    kept = _kept.setdefault(services().database.engine, {})
    found = kept.get(key)
    if found is not None and found[0] <= now() < found[0] + FRESH:
        value: T = found[1]
        return value
    value = count()
    _keep(kept, key, value)
    return value


def _keep(kept: dict[Hashable, tuple[datetime, Any]], key: Hashable, value: object) -> None:
    if len(kept) >= MOST:
        for old, (since, _) in list(kept.items()):
            if not since <= now() < since + FRESH:
                kept.pop(old, None)
    if len(kept) < MOST:
        kept[key] = (now(), value)

"""What the house uses of the outside world, built once from the configuration by the roof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from config import Config
from kernel.db import Database
from kernel.mailer import Mailer
from kernel.storage import Storage


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Handed to web requests, errands of the worker and commands alike."""

    config: Config
    database: Database
    storage: Storage
    mailer: Mailer
    clock: Callable[[], datetime] = _wall_clock

"""A clock that tests can set."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        """`clock.move(minutes=16)`"""
        self.instant += timedelta(**by)

"""What those who bought a product say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from orders.sales.models import Review


@dataclass(frozen=True, slots=True)
class ReviewShown:
    stars: int
    text: str
    place: str
    reply: str
    on: date


@dataclass(frozen=True, slots=True)
class Reviews:
    """The newest letters with words, and how all of them voted."""

    count: int
    by_stars: dict[int, int]
    letters: tuple[ReviewShown, ...]

    @property
    def mean_tenths(self) -> int:
        """The mean in tenths, half up: 48 is 4.8."""
        points = sum(stars * count for stars, count in self.by_stars.items())
        return (20 * points + self.count) // (2 * self.count) if self.count else 0


def reviews_of(session: Session, product_id: int, *, limit: int = 5) -> Reviews:
    """One query: the letters, each with the counts of all."""
    rows = session.execute(_letters(), {"product_id": product_id, "most": limit}).all()
    if not rows:
        return Reviews(0, {}, ())
    by_stars = {stars: int(rows[0][4 + stars]) for stars in range(1, 6)}
    letters = tuple(
        ReviewShown(row.stars, row.text, row.place, row.reply, row.made_at)
        for row in rows
        if row.text
    )
    return Reviews(sum(by_stars.values()), by_stars, letters)


@cache
def _letters() -> sa.Select[*tuple[Any, ...]]:
    counts = [
        sa.func.sum(sa.case((Review.stars == stars, 1), else_=0)).over().label(f"stars_{stars}")
        for stars in range(1, 6)
    ]
    return (
        sa.select(Review.stars, Review.text, Review.place, Review.reply, Review.made_at, *counts)
        .where(Review.product_id == sa.bindparam("product_id"))
        .order_by(sa.case((Review.text != "", 0), else_=1), Review.made_at.desc(), Review.id.desc())
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )

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
    """One letter. Where the operator covered it, `covered` says why and the rest is empty."""

    id: int
    stars: int
    text: str
    place: str
    reply: str
    on: date
    photos: tuple[dict[str, Any], ...] = ()
    covered: str = ""


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


def reviews_of(session: Session, product_id: int, *, limit: int = 5, offset: int = 0) -> Reviews:
    """One query: the letters, each with the counts of all."""
    values = {"product_id": product_id, "most": limit, "skipped": offset}
    rows = session.execute(_letters(), values).all()
    if not rows:
        return Reviews(0, {}, ())
    by_stars = {stars: int(getattr(rows[0], f"stars_{stars}")) for stars in range(1, 6)}
    letters = tuple(_shown(row) for row in rows if row.text or row.photos)
    return Reviews(sum(by_stars.values()), by_stars, letters)


def _shown(row: Any) -> ReviewShown:
    if row.covered:
        return ReviewShown(row.id, row.stars, "", "", "", row.made_at, (), row.covered)
    return ReviewShown(
        row.id, row.stars, row.text, row.place, row.reply, row.made_at, tuple(row.photos)
    )


@cache
def _letters() -> sa.Select[*tuple[Any, ...]]:
    counts = [
        sa.func.sum(sa.case((Review.stars == stars, 1), else_=0)).over().label(f"stars_{stars}")
        for stars in range(1, 6)
    ]
    return (
        sa.select(
            Review.id, Review.stars, Review.text, Review.place, Review.reply, Review.made_at,
            Review.photos, Review.covered, *counts,
        )
        .where(Review.product_id == sa.bindparam("product_id"))
        .order_by(sa.case((Review.text != "", 0), else_=1), Review.made_at.desc(), Review.id.desc())
        .offset(sa.bindparam("skipped", type_=sa.Integer()))
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )  # fmt: skip

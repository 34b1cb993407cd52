"""Harvests that are expected: what of them may be promised before anything lies in the store."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.lots.models import Contribution, Lot
from catalog.lots.rules import promisable
from kernel.db import DERIVED, Made, Model, related


class Harvest(Made, Model):
    """预计采收: goods of one product and grade that households are expected to bring.

    `lot` (state “expected”) carries the promises: its window is the harvest's, its parts are the
    households'. It never holds goods; what is brought makes lots of its own, to which the promises
    move. `confidence_bp` is how much of what is still expected may be promised, in basis points.
    """

    __tablename__ = "harvests"
    __table_args__ = (
        sa.CheckConstraint("confidence_bp > 0 AND confidence_bp <= 10000", name="confidence"),
    )

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    confidence_bp: Mapped[int]
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    ended_reason: Mapped[str] = mapped_column(sa.String(200), default="")

    lot: Mapped[Lot] = related()
    parts: Mapped[list[HarvestPart]] = related(back_populates="harvest", order_by="HarvestPart.id")

    @property
    def expected(self) -> int:
        return sum(part.expected for part in self.parts)

    @property
    def came(self) -> int:
        return sum(part.came for part in self.parts)

    @property
    def promised(self) -> int:
        return sum(part.contribution.reserved for part in self.parts)

    @property
    def short(self) -> int:
        """What was promised and is not to be expected any more; the parts are loaded."""
        return sum(part.short for part in self.parts)

    @property
    def free(self) -> int:
        return sum(part.free for part in self.parts)


class HarvestPart(Made, Model):
    """What one household is expected to bring in all (`expected`), and what came of it (`came`).

    Its contribution carries the promises: `on_hand` is what may be promised of what is still
    expected, or what is promised already if that is more. Expected quantities only go down, and up
    again as far as they were announced: more is another harvest.
    """

    __tablename__ = "harvest_parts"
    __table_args__ = (
        sa.CheckConstraint(
            "expected >= 0 AND expected <= announced AND announced > 0", name="not_more_than_said"
        ),
        sa.CheckConstraint("came >= 0", name="came_not_negative"),
        sa.CheckConstraint("may_promise >= 0", name="may_promise_not_negative"),
    )

    harvest_id: Mapped[int] = mapped_column(sa.ForeignKey("harvests.id"), index=True)
    contribution_id: Mapped[int] = mapped_column(sa.ForeignKey("contributions.id"), unique=True)
    announced: Mapped[int]
    expected: Mapped[int]
    came: Mapped[int] = mapped_column(default=0, info=DERIVED)
    # promisable(expected, came, confidence), 0 once the harvest is over.
    may_promise: Mapped[int] = mapped_column(info=DERIVED)

    harvest: Mapped[Harvest] = related(back_populates="parts")
    contribution: Mapped[Contribution] = related()

    @property
    def short(self) -> int:
        return max(0, self.contribution.reserved - self.may_promise)

    @property
    def free(self) -> int:
        return max(0, self.may_promise - self.contribution.reserved)

    def right_promise(self) -> int:
        """What `may_promise` must be."""
        if self.harvest.ended_at is not None:
            return 0
        return promisable(self.expected, self.came, self.harvest.confidence_bp)


class HarvestArrival(Made, Model):
    """What a household brought into a lot counted as this part of the harvest. Counted once."""

    __tablename__ = "harvest_arrivals"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    part_id: Mapped[int] = mapped_column(sa.ForeignKey("harvest_parts.id"), index=True)
    contribution_id: Mapped[int] = mapped_column(sa.ForeignKey("contributions.id"), unique=True)
    quantity: Mapped[int]

"""Labels on bags, and who opened their codes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.lots.models import Lot
from catalog.lots.rules import bag_code
from catalog.products.models import Pack
from kernel.db import Made, Model, related
from kernel.labels import Labelled


class LabelRun(Made, Model):
    """标签: numbers of one lot's bags, taken together for one pack. A bag is no row: its code is
    made from the lot, its number and the run's key (`rules.bag_code`)."""

    __tablename__ = "label_runs"
    __table_args__ = (
        sa.UniqueConstraint("lot_id", "first_serial"),
        sa.CheckConstraint("count > 0 AND first_serial > 0", name="some_bags"),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"))
    first_serial: Mapped[int]
    count: Mapped[int]
    seal_key: Mapped[str] = mapped_column(sa.String(32))

    lot: Mapped[Lot] = related()
    pack: Mapped[Pack] = related()
    prints: Mapped[list[LabelPrint]] = related(back_populates="run", order_by="LabelPrint.copy")

    @property
    def last_serial(self) -> int:
        return self.first_serial + self.count - 1

    def code_of(self, serial: int) -> str:
        """The code of one bag; the lot must be loaded."""
        return bag_code(self.lot.code, serial, self.seal_key)


class LabelLayout(Labelled):
    """One label of 100 × 70 mm a page, or eight on a sheet of A4."""

    SINGLE = "single"
    SHEET = "sheet"


class LabelPrint(Made, Model):
    """Labels sent to the printer. What is printed again says so on its face, and why here."""

    __tablename__ = "label_prints"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("run_id", "copy"),
        sa.CheckConstraint("first_serial <= last_serial", name="some_bags"),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("label_runs.id"))
    copy: Mapped[int]
    first_serial: Mapped[int]
    last_serial: Mapped[int]
    layout: Mapped[LabelLayout]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")

    run: Mapped[LabelRun] = related(back_populates="prints")


class TraceScan(Model):
    """A trace page was opened: which lot or bag, when, in which language. Nothing of the person:
    no address, no browser."""

    __tablename__ = "trace_scans"
    __audited__ = False
    __table_args__ = (sa.Index("ix_trace_scans_lot", "lot_id", "at"),)

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    serial: Mapped[int | None]
    at: Mapped[datetime]
    lang: Mapped[str] = mapped_column(sa.String(5))

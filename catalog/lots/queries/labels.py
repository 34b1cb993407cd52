"""Labels of a lot's bags, and how often their codes are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.lots import rules
from catalog.lots.models import Lot
from catalog.lots.models.labels import LabelPrint, LabelRun, TraceScan
from catalog.products.models import Pack
from catalog.suppliers.models import Supplier
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.people import User
from kernel.periods import business_day

DAYS_SHOWN = 14


def runs_of(session: Session, lot_ids: Sequence[int]) -> list[LabelRun]:
    """Runs of these lots with lot, pack and prints, oldest first."""
    return list(
        session.scalars(
            sa.select(LabelRun)
            .where(LabelRun.lot_id.in_(lot_ids))
            .order_by(LabelRun.lot_id, LabelRun.first_serial)
            .options(
                joinedload(LabelRun.lot), joinedload(LabelRun.pack), selectinload(LabelRun.prints)
            )
        )
    )


def run_of(session: Session, lot_id: int, number: str) -> LabelRun:
    """One run of this lot by its number, or Missing."""
    found = session.scalar(
        sa.select(LabelRun).where(LabelRun.lot_id == lot_id, LabelRun.number == number)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def packs_for_labels(session: Session, lot: Lot) -> list[Pack]:
    """The packs this lot's goods are sold in: of its product and grade."""
    return list(
        session.scalars(
            sa.select(Pack)
            .where(Pack.product_id == lot.product_id, Pack.grade == lot.grade)
            .order_by(Pack.shelf, Pack.position, Pack.id)
        )
    )


def labelled(session: Session, lot_id: int) -> tuple[int, int]:
    """(the last bag's number, base units in all labelled bags); zeros before the first."""
    last, content = session.execute(
        sa.select(sum_whole(LabelRun.count), sum_whole(LabelRun.count * Pack.content))
        .join(Pack, Pack.id == LabelRun.pack_id)
        .where(LabelRun.lot_id == lot_id)
    ).one()
    return int(last), int(content)


def print_of(session: Session, supplier_id: int, print_id: int) -> LabelPrint:
    """One print with all its labels say; of this supplier's lots only."""
    found = session.scalar(
        sa.select(LabelPrint)
        .join(LabelRun, LabelRun.id == LabelPrint.run_id)
        .join(Lot, Lot.id == LabelRun.lot_id)
        .where(LabelPrint.id == print_id, Lot.supplier_id == supplier_id)
        .options(
            joinedload(LabelPrint.run).options(
                joinedload(LabelRun.pack),
                joinedload(LabelRun.lot).options(
                    joinedload(Lot.product),
                    joinedload(Lot.supplier).joinedload(Supplier.organisation),
                ),
            )
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def names_of(session: Session, user_ids: Sequence[int | None]) -> dict[int | None, str]:
    """Who these users are, for lists of who did what."""
    rows = session.execute(sa.select(User.id, User.name).where(User.id.in_(set(user_ids) - {None})))
    return dict(rows.all())


@dataclass(frozen=True, slots=True)
class Scans:
    """How often the codes of a lot were opened. `days` are the last two weeks, oldest first;
    `often` are bags (number, times this week) whose label may have been copied."""

    total: int
    days: tuple[tuple[date, int], ...]
    often: tuple[tuple[int, int], ...]


def scans_of(session: Session, lot_id: int, *, now: datetime) -> Scans:
    """Two queries."""
    total = session.scalar(
        sa.select(sa.func.count()).select_from(TraceScan).where(TraceScan.lot_id == lot_id)
    )
    today = business_day(now)
    days = dict.fromkeys((today - timedelta(days=ago) for ago in range(DAYS_SHOWN - 1, -1, -1)), 0)
    bags: dict[int, int] = {}
    for at, serial in session.execute(
        sa.select(TraceScan.at, TraceScan.serial).where(
            TraceScan.lot_id == lot_id, TraceScan.at > now - timedelta(days=DAYS_SHOWN)
        )
    ):
        if business_day(at) in days:
            days[business_day(at)] += 1
        if serial is not None and at > now - timedelta(days=7):
            bags[serial] = bags.get(serial, 0) + 1
    often = sorted(
        ((serial, times) for serial, times in bags.items() if rules.looks_copied(times)),
        key=lambda each: (-each[1], each[0]),
    )
    return Scans(int(total or 0), tuple(days.items()), tuple(often))


def times_opened(session: Session, lot_id: int, serial: int) -> int:
    """How often this bag's page was opened so far."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(TraceScan)
            .where(TraceScan.lot_id == lot_id, TraceScan.serial == serial)
        )
        or 0
    )

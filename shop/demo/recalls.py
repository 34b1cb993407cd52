"""A recall, a drill, and bags whose labels somebody looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot, LotState
from catalog.lots.models.labels import LabelLayout
from catalog.lots.operations import hold_lot, note_scan, print_labels
from catalog.products.models import Pack
from kernel.actors import Role
from kernel.periods import business_day
from orders.sales.models import Allocation
from orders.tracing.models import RecallKind
from orders.tracing.operations import begin_recall, close_recall, list_contacts
from shop.demo.people import SAMPLE_SUPPLIER
from shop.demo.town import Town


def untouched(town: Town, session: Session, today: date) -> Lot | None:
    """An open lot of fresh goods of which nothing is spoken for at this moment."""
    spoken_for = (
        sa.select(Contribution.id).where(Contribution.lot_id == Lot.id, Contribution.reserved > 0)
    ).exists()
    in_store = (
        sa.select(Contribution.id).where(Contribution.lot_id == Lot.id, Contribution.on_hand > 0)
    ).exists()
    return session.scalars(
        sa.select(Lot)
        .where(
            Lot.supplier_id == town.suppliers[SAMPLE_SUPPLIER],
            Lot.state == LotState.OPEN,
            Lot.harvested_on < today,
            Lot.best_before > today + timedelta(days=2),
            Lot.certificate_no != "",
            in_store,
            ~spoken_for,
        )
        .order_by(Lot.harvested_on.desc(), Lot.id)
        .limit(1)
    ).first()


def recall_one(town: Town, session: Session, now: datetime) -> None:
    lot = untouched(town, session, business_day(now))
    if lot is None:
        return
    manager = town.actor(SAMPLE_SUPPLIER, Role.MANAGER)
    reason = "抽检发现一户用药间隔期不足，整批停售召回，已逐单通知买家"
    hold_lot(session, lot.id, reason="区市场监管所抽检，等待结果", by=manager, now=now)
    begin_recall(
        session, lot.id, supplier_id=lot.supplier_id, kind=RecallKind.REAL, reason=reason,
        advice=_ADVICE, site=town.services.config.public_url, by=manager,
        now=now + timedelta(hours=3),
    )  # fmt: skip


_ADVICE = "请不要食用，留好货和包装，合作社上门取回并退款。"


def drill(town: Town, session: Session, now: datetime) -> None:
    """Once a season the cooperative looks how long finding every buyer of a lot takes."""
    lot = session.scalars(
        sa.select(Lot)
        .join(Allocation, Allocation.lot_id == Lot.id)
        .where(Lot.product_id == town.products["R01"], Allocation.shipped > 0)
        .order_by(Lot.id.desc())
        .limit(1)
    ).first()
    if lot is None:
        return
    manager = town.actor(SAMPLE_SUPPLIER, Role.MANAGER)
    recall = begin_recall(
        session, lot.id, supplier_id=lot.supplier_id, kind=RecallKind.DRILL,
        reason="季度召回演练", advice=_ADVICE, site="", by=manager, now=now,
    )  # fmt: skip
    list_contacts(session, recall.id, by=manager, now=now + timedelta(minutes=9))
    close_recall(
        session, recall.id, conclusion="九分钟拿到联系单，两户电话过期，已请村里补登",
        rest_is_missing=False, safe_again=False, by=manager, now=now + timedelta(minutes=47),
    )  # fmt: skip


def label_lot(town: Town, session: Session, lot: Lot, now: datetime) -> None:
    """Bags of ten kilograms get their codes; one in three is looked up by whoever bought it."""
    pack = session.scalars(
        sa.select(Pack)
        .where(Pack.product_id == lot.product_id, Pack.grade == lot.grade, Pack.content <= 10_000)
        .order_by(Pack.content.desc(), Pack.id)
        .limit(1)
    ).first()
    if pack is None:
        return
    keeper = town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER)
    print_labels(
        session, lot.id, pack_id=pack.id, count=12, layout=LabelLayout.SHEET, by=keeper, now=now
    )
    for serial in range(1, 12, 3):
        note_scan(session, lot.id, serial, lang="zh", now=now + timedelta(hours=20 + 9 * serial))

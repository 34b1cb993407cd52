"""What waits in the sample cooperative's store: a second store, a transfer, a loss, yields."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot, LotState, StepKind
from catalog.lots.models.papers import AdjustmentKind
from catalog.lots.operations import (
    open_store,
    publish_band,
    send_to_store,
    set_stock_level,
    split_lot,
)
from catalog.lots.operations.harvests import announce_harvest
from catalog.lots.queries.harvests import growers
from catalog.products.models import Grade
from catalog.products.queries import product_of
from kernel.actors import Role
from kernel.periods import business_day
from orders.shares.operations import report_loss
from shop.demo.people import SAMPLE_SUPPLIER
from shop.demo.town import Town

# Roots that keep: some of them always lie there, whatever day the sample ends on.
KEPT = ("S01", "V06", "V05", "V10", "R01")
LOAD = 60_000
HARVEST = 180_000
TOWNSHIP = "500114125"


def plan_store(town: Town) -> None:
    """This morning, before anybody opened a desk."""
    town.plan(town.services.clock() - timedelta(minutes=40), _arrange, town)


def _arrange(town: Town, session: Session, now: datetime) -> None:
    keeper = town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER)
    supplier = town.suppliers[SAMPLE_SUPPLIER]
    did: dict[str, Any] = {"by": keeper, "now": now}
    cellar = open_store(session, supplier, name="地窖", place="水市社区三组，老粮站后面", **did)
    for code, least in (("R01", 2_000_000), ("V10", 500_000)):
        set_stock_level(session, supplier, town.products[code], least, **did)
    for source, output, least, most in (("O01", "O02", 2_200, 2_600), ("O03", "O04", 3_500, 4_000)):
        publish_band(
            session, supplier, input_product_id=town.products[source],
            output_product_id=town.products[output], kind=StepKind.OTHER,
            least_bp=least, most_bp=most, **did,
        )  # fmt: skip
    _expect_cabbage(session, supplier, town, did)
    lot_id = plenty(session, supplier, [town.products[code] for code in KEPT])
    if lot_id is None:
        return
    send_to_store(
        session, lot_id, LOAD, supplier_id=supplier, to_store_id=cellar.id,
        request_key="sample:send", **did,
    )  # fmt: skip
    split_lot(
        session, lot_id, LOAD // 2, supplier_id=supplier, reason="学校食堂单独装筐",
        request_key="sample:split", **did,
    )  # fmt: skip
    report_loss(
        session, lot_id, LOAD, supplier_id=supplier, kind=AdjustmentKind.SHRINK,
        reason="窖藏失水，复秤少了一百二十斤", request_key="sample:loss", **did,
    )  # fmt: skip


def _expect_cabbage(session: Session, supplier: int, town: Town, did: dict[str, Any]) -> None:
    """Cabbage that stands under snow until after New Year, as far as its fields still bear."""
    product = product_of(session, supplier, town.products["V01"])
    today = business_day(did["now"])
    able = [
        each
        for each in growers(session, product, [TOWNSHIP], year=today.year)
        if each.plausible is None or each.plausible > HARVEST
    ][:6]
    if able:
        announce_harvest(
            session, supplier, product_id=product.id, grade=Grade.FIRST,
            available_from=today + timedelta(days=40), good_until=today + timedelta(days=54),
            confidence_bp=7_000, parts={each.household_id: HARVEST for each in able},
            prefixes=[TOWNSHIP], note="雪压过更甜，正月里供学校食堂", **did,
        )  # fmt: skip


def plenty(session: Session, supplier: int, product_ids: list[int]) -> int | None:
    """The open lot with most that is free, if it can spare this much."""
    free = sa.func.sum(Contribution.on_hand - Contribution.reserved)
    return session.scalar(
        sa.select(Lot.id)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(
            Lot.supplier_id == supplier,
            Lot.product_id.in_(product_ids),
            Lot.state == LotState.OPEN,
        )
        .group_by(Lot.id)
        .having(free > LOAD * 5)
        .order_by(free.desc(), Lot.id)
        .limit(1)
    )

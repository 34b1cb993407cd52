"""Vehicles, parcel services, what packs weigh with their boxes, and what carriage costs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Lot
from catalog.products.models import Pack, Product, Shelf
from kernel.actors import Role
from kernel.money import Money
from kernel.periods import business_day
from orders.sales.models import Allocation, CarrierKind, OrderLine
from orders.sales.operations import publish_freight, save_carrier, save_point, weigh_pack
from orders.sales.rules.days import Offer
from orders.sales.rules.freight import Zone
from shop.demo.town import Town, at

# Days before the sample's today from which parcels cost freight; earlier ones held it in the price.
FREIGHT_SINCE = 6
POINTS = (
    ("水市乡集散点（样例）", "水市乡政府街 1 号供销社院内", "每天 8:30–18:00"),
    ("城区提货点（样例）", "黔江区正阳街道样例路 6 号", "周二至周日 9:00–19:00"),
)
VANS = (
    ("渝 1 号车", "渝H00001", "冉师傅", "19900009901"),
    ("渝 2 号车", "渝H00002", "向师傅", "19900009902"),
)
NEAR, FAR = "500000000000", ("540000000000", "650000000000")


def plan_carrying(town: Town) -> None:
    """On one morning of the last week every cooperative writes down how it sends."""
    day = town.span.today - timedelta(days=FREIGHT_SINCE)
    town.plan(at(max(day, town.span.begin), 8), _write_down, town)


def _write_down(town: Town, session: Session, now: datetime) -> None:
    for key, supplier_id in sorted(town.suppliers.items()):
        if (key, Role.MANAGER, 0) not in town.staff:
            continue  # an applicant sends nothing yet
        manager = town.actor(key, Role.MANAGER)
        for name, plate, driver, phone in VANS:
            save_carrier(
                session, supplier_id, name=name, kind=CarrierKind.OWN_VEHICLE, plate=plate,
                driver=driver, driver_phone=phone, by=manager, now=now,
            )  # fmt: skip
        save_carrier(
            session, supplier_id, name="邮政快递（样例）", kind=CarrierKind.PARCEL_SERVICE,
            tracking_pattern="https://parcels.example.test/{number}", by=manager, now=now,
        )  # fmt: skip
        for pack in session.scalars(
            sa.select(Pack)
            .join(Pack.product)
            .where(Product.supplier_id == supplier_id, Pack.shelf == Shelf.CITIZENS)
            .order_by(Pack.id)
        ):
            gross = pack.content + max(100, pack.content // 25 // 50 * 50)
            weigh_pack(session, pack.id, gross, supplier_id=supplier_id, by=manager, now=now)
        zones = (
            Zone(region=NEAR, first_g=3000, first_fee=Money(600), step_fee=Money(100),
                 free_from=Money(9_900), days=2),
            *(Zone(region=each, served=False) for each in FAR),
            Zone(region="", first_g=1000, first_fee=Money(1_000), step_fee=Money(300),
                 free_from=Money(19_900), days=4),
        )  # fmt: skip
        publish_freight(
            session, supplier_id, zones, valid_from=business_day(now),
            note="入冬起执行", days=Offer("1246", halves=True, lead_days=2), by=manager, now=now,
        )  # fmt: skip
        for name, address, hours in POINTS:
            save_point(
                session, supplier_id, name=name, address=address, hours=hours, by=manager, now=now
            )


def good_until(session: Session, order_id: int) -> date:
    """Goods that expire over the weekend leave on the last day they may."""
    soonest = session.scalar(
        sa.select(sa.func.min(Lot.best_before))
        .join(Allocation, Allocation.lot_id == Lot.id)
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .where(OrderLine.order_id == order_id)
    )
    assert soonest is not None, order_id
    return soonest

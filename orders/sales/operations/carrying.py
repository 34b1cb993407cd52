"""Who carries a cooperative's goods, and what it asks for carriage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Pack, Product
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Text
from kernel.periods import business_day
from kernel.quantities import BaseUnit
from kernel.text import plain_number, tidy
from orders.sales.models import Carrier, CarrierKind, FreightTemplate, FreightZone, PickUpPoint
from orders.sales.queries.packing import carrier_of
from orders.sales.queries.points import point_of
from orders.sales.rules.days import MOST_LEAD, Offer
from orders.sales.rules.freight import Zone, problems_of

MOST_PACK_GRAMS = 1_000_000
MOST_PER_BUYER = 999
MOST_DAYS = 366


def save_carrier(
    session: Session,
    supplier_id: int,
    *,
    carrier_id: int | None = None,
    name: str,
    kind: CarrierKind,
    tracking_pattern: str = "",
    plate: str = "",
    driver: str = "",
    driver_phone: str = "",
    in_use: bool = True,
    by: Actor,
    now: datetime,
) -> Carrier:
    """A parcel service or a vehicle, new or changed. What was shipped keeps its frozen words."""
    # The supplier's row is the lock of its list: two who add the same name take turns.
    get_or_missing(session, Supplier, supplier_id, lock=True)
    name, pattern = tidy(name), tracking_pattern.strip()
    errors: dict[str, Text] = {}
    if not name:
        errors["name"] = Text("Please fill this in.")
    if pattern and not (pattern.startswith("https://") and pattern.count("{number}") == 1):
        errors["tracking_pattern"] = Text(
            "Begin with https:// and write {number} once, where the parcel's number belongs."
        )
    taken = session.scalar(
        sa.select(Carrier.id).where(Carrier.supplier_id == supplier_id, Carrier.name == name)
    )
    if taken is not None and taken != carrier_id:
        errors["name"] = Text("There is one of this name already.")
    if errors:
        raise Invalid(errors)
    carrier = (
        Carrier(supplier_id=supplier_id, **stamp(by, now))
        if carrier_id is None
        else carrier_of(session, carrier_id, supplier_id=supplier_id)
    )
    own = kind is CarrierKind.OWN_VEHICLE
    carrier.name, carrier.kind, carrier.in_use = name[:40], kind, in_use
    carrier.tracking_pattern = "" if own else pattern[:200]
    carrier.plate = plain_number(plate).upper()[:12] if own else ""
    carrier.driver, carrier.driver_phone = tidy(driver)[:40] if own else "", driver_phone
    session.add(carrier)
    session.flush()
    audit.note(session, "save_carrier", f"supplier:{supplier_id}", by=by, now=now, name=name)
    return carrier


def publish_freight(
    session: Session,
    supplier_id: int,
    zones: Sequence[Zone],
    *,
    valid_from: date,
    note: str = "",
    days: Offer | None = None,
    by: Actor,
    now: datetime,
) -> FreightTemplate:
    """A new version of what carriage costs and on which days goods are brought, from a day on.
    Orders placed before keep theirs."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    errors = {
        f"zone-{position}" if position >= 0 else "zones": sentence
        for position, sentence in problems_of(zones).items()
    }
    if valid_from < business_day(now):
        errors["valid_from"] = Text("Choose %(day)s or later.", day=business_day(now))
    days = days or Offer("", False, 2)
    if not set(days.weekdays) <= set("1234567") or not 0 <= days.lead_days <= MOST_LEAD:
        errors["lead_days"] = Text(
            "Enter a whole number from %(least)s to %(most)s.", least=0, most=MOST_LEAD
        )
    if errors:
        raise Invalid(errors)
    last = session.scalar(
        sa.select(sa.func.max(FreightTemplate.version)).where(
            FreightTemplate.supplier_id == supplier_id
        )
    )
    template = FreightTemplate(
        supplier_id=supplier_id,
        version=(last or 0) + 1,
        valid_from=valid_from,
        note=tidy(note)[:100],
        weekdays="".join(sorted(set(days.weekdays))),
        halves=days.halves,
        lead_days=days.lead_days,
        zones=[
            FreightZone(
                region=each.region,
                served=each.served,
                first_g=each.first_g,
                first_fee=each.first_fee,
                step_g=each.step_g,
                step_fee=each.step_fee,
                free_from=each.free_from,
                days=each.days if each.served else None,
            )
            for each in zones
        ],
        **stamp(by, now),
    )
    session.add(template)
    session.flush()
    audit.note(
        session, "publish_freight", f"supplier:{supplier_id}", by=by, now=now,
        version=template.version, valid_from=valid_from,
    )  # fmt: skip
    return template


def weigh_pack(
    session: Session,
    pack_id: int,
    gross_g: int | None,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> Pack:
    """What one pack weighs with its box; None is not known. Orders placed from now on use it."""
    pack = get_or_missing(session, Pack, pack_id, lock=True)
    product = session.get_one(Product, pack.product_id)
    if product.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    least = pack.content if product.base_unit is BaseUnit.GRAM else 1
    if gross_g is not None and not least <= gross_g <= MOST_PACK_GRAMS:
        raise Invalid(
            {f"pack-{pack_id}": Text("A pack weighs at least what it holds, and at most 1,000 kg.")}
        )
    if pack.gross_g != gross_g:
        pack.gross_g = gross_g
        session.flush()
        audit.note(
            session, "weigh_pack", f"product:{product.id}", by=by, now=now,
            pack=pack.id, gross_g=gross_g,
        )  # fmt: skip
    return pack


def limit_pack(
    session: Session,
    pack_id: int,
    most: int | None,
    days: int | None,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> Pack:
    """How many each citizen may have of this pack within so many days; None is no limit. Orders
    placed from now on are held to it, and earlier ones count."""
    pack = get_or_missing(session, Pack, pack_id, lock=True)
    product = session.get_one(Product, pack.product_id)
    if product.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if (most is None) != (days is None):
        raise Invalid({f"most-{pack_id}": Text("Enter both: how many, and in how many days.")})
    if most is not None and not (1 <= most <= MOST_PER_BUYER and 1 <= (days or 0) <= MOST_DAYS):
        raise Invalid(
            {f"most-{pack_id}": Text("At least one, and at most 999 in at most 366 days.")}
        )
    if (pack.most_per_buyer, pack.limit_days) != (most, days):
        pack.most_per_buyer, pack.limit_days = most, days
        session.flush()
        audit.note(
            session, "limit_pack", f"product:{product.id}", by=by, now=now,
            pack=pack.id, most=most, days=days,
        )  # fmt: skip
    return pack


def save_point(
    session: Session,
    supplier_id: int,
    *,
    point_id: int | None = None,
    name: str,
    address: str,
    hours: str,
    phone: str = "",
    in_use: bool = True,
    by: Actor,
    now: datetime,
) -> PickUpPoint:
    """A place where this cooperative's goods are fetched, new or changed. What was ordered keeps
    the words it was ordered with."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    name, address, hours = tidy(name), tidy(address), tidy(hours)
    errors = {
        key: Text("Please fill this in.")
        for key, value in (("name", name), ("address", address), ("hours", hours))
        if not value
    }
    taken = session.scalar(
        sa.select(PickUpPoint.id).where(
            PickUpPoint.supplier_id == supplier_id, PickUpPoint.name == name
        )
    )
    if taken is not None and taken != point_id:
        errors["name"] = Text("There is one of this name already.")
    if errors:
        raise Invalid(errors)
    point = (
        PickUpPoint(supplier_id=supplier_id, **stamp(by, now))
        if point_id is None
        else point_of(session, point_id, supplier_id=supplier_id)
    )
    point.name, point.address, point.hours = name[:40], address[:120], hours[:60]
    point.phone, point.in_use = phone[:20], in_use
    session.add(point)
    session.flush()
    audit.note(session, "save_point", f"supplier:{supplier_id}", by=by, now=now, name=name)
    return point

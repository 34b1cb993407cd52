"""What is promised of a parcel: what it costs to a place, and by when it is there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from kernel.money import Money
from orders.sales.rules.freight import Zone, freight_of, zone_of
from orders.sales.rules.travelling import arrives_by, leaves_on, usual_days
from shop.storefront.queries.travel import Sender

INCLUDED = (Zone(region=""),)


@dataclass(frozen=True, slots=True)
class Promise:
    """To one place: `freight` of one pack, None where it is not sent; the last days of leaving
    and arriving."""

    region: str
    place: str
    freight: Money | None
    leaves: date
    arrives: date


def province_of(region: str) -> str:
    """500114125000 → 500000000000"""
    return region[:2].ljust(12, "0")


def days_to(sender: Sender, region: str) -> int | None:
    """Days on the road; None where the cooperative does not send."""
    zone = zone_of(sender.zones or INCLUDED, region)
    if zone is None or not zone.served:
        return None
    return zone.days or usual_days(sender.origin, region)


def promise_to(
    sender: Sender, region: str, place: str, *, grams: int, price: Money, now: datetime
) -> Promise:
    """One pack of so many grams and this price, ordered now."""
    freight = freight_of(sender.zones or INCLUDED, region=region, grams=grams, goods=price)
    arrives = arrives_by(now, days_to(sender, region) or 0)
    return Promise(region, place, freight, leaves_on(now), arrives)


def in_time(senders: Iterable[Sender], region: str, by: date, now: datetime) -> list[int]:
    """Ids of the suppliers whose parcels are there by that day."""
    return [
        each.supplier_id
        for each in senders
        if (days := days_to(each, region)) is not None and arrives_by(now, days) <= by
    ]

"""A harvest that a canteen can order from before it is in the store."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from catalog.households.operations import add_plot
from catalog.lots import operations as lots
from catalog.lots.models import Contribution
from catalog.lots.models.harvests import Harvest
from catalog.products.models import Grade
from orders.shares.operations.storing import take_in_slips
from shop.selfcheck import CHECKS
from tests import makers
from tests.orders.agencies import canteens

FIRST, LAST, DAY = date(2026, 12, 10), date(2026, 12, 31), date(2026, 12, 15)
COMES = datetime(2026, 12, 10, 2, 0, tzinfo=UTC)


def growers(session, of, *, number=2, mu_100=100):
    """Households with a field of the product: 100 hundredths of a mu bear what 20,000 kg allow."""
    found = []
    for n in range(number):
        home = makers.household(session, f"菜农{n}")
        add_plot(
            session, home.id, place="河坝", area_mu_100=mu_100, crop=of.product.code, year=2026,
            by=makers.SOMEBODY, now=canteens.NOW,
        )  # fmt: skip
        found.append(home)
    return found


def harvest(session, of, *kilograms, confidence_bp=8000, homes=None, **given) -> Harvest:
    homes = homes or growers(session, of, number=len(kilograms))
    given = {"available_from": FIRST, "good_until": LAST, **given}
    return lots.announce_harvest(
        session, of.supplier.id, product_id=of.product.id, grade=Grade.FIRST,
        confidence_bp=confidence_bp,
        parts={home.id: kg * 1000 for home, kg in zip(homes, kilograms, strict=True)},
        prefixes=[makers.TOWNSHIP[:9]], by=of.storekeeper, now=canteens.NOW, **given,
    )  # fmt: skip


def homes_of(harvest_) -> list:
    return [part.contribution.household for part in harvest_.parts]


def comes(session, of, brought, *, at=COMES) -> int:
    """[(household, kilograms)] are weighed and taken in; the lot they make."""
    slips = [makers.slip(session, of.product, home, net_g=kg * 1000, at=at) for home, kg in brought]
    take_in_slips(
        session, [slip.id for slip in slips], supplier_id=of.supplier.id, by=makers.SOMEBODY, now=at
    )
    return session.scalar(sa.select(sa.func.max(Contribution.lot_id)))


def agree(session) -> None:
    """Every check of the shop, not only ours: money and stock stand as they stood. The trail is
    written when a transaction ends, so it is left out."""
    session.flush()
    found = [
        f"{c.name} {each.subject} {each.sentence}"
        for c in CHECKS
        if c.name != "kernel.audit"
        for each in c.run(session)
    ]
    if found:
        raise AssertionError(found)

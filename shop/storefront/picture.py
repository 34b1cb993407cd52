"""The public road of the money, drawn as the office draws its own, in three columns."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from kernel.web.i18n import in_chinese, say
from orders.payouts.queries.whereabouts import Destination
from shop.office.road import Flow, Road, VillageEnd
from shop.office.sankey import Frame, Sankey, sankey
from shop.storefront.queries.road import OTHER, PublicRoad

LYING = Frame(1000, 600, False, (150, 485, 495, 842, 852, 852), 560, 300, (24, 18, 18), 470, 0)
STANDING = Frame(358, 640, True, (92, 303, 313, 532, 542, 542), 350, 179, (9, 7, 7), 290, 0)


@dataclass(frozen=True, slots=True)
class Picture:
    """`tones` says which colour each sort of goods has; tables read `road`."""

    road: Road
    lying: Sankey
    standing: Sankey
    tones: dict[str, int]


def picture(found: PublicRoad) -> Picture:
    """In the reader's language."""
    goods = {each: _goods(found, each) for each in found.sums("goods")}
    buyers = {each: say(Destination(each)) for each in found.sums("buyers")}
    villages = found.sums("village")
    road = Road(
        systems={buyers[each]: amount for each, amount in found.sums("buyers").items()},
        products={goods[each]: amount for each, amount in found.sums("goods").items()},
        by_system=[
            Flow(buyers[source], goods[target], amount)
            for (source, target), amount in found.flows("buyers", "goods").items()
        ],
        by_village=[
            Flow(goods[source], target, amount)
            for (source, target), amount in found.flows("goods", "village").items()
        ],
        villages=[
            VillageEnd(name, name, amount, strokes=(), households=0, registered=0, without=0)
            for name, amount in villages.items()
        ],
        total=found.total,
        to_households=found.total,
    )
    lying, standing = sankey(road, LYING), sankey(road, STANDING)
    assert lying is not None
    assert standing is not None
    return Picture(road, lying, standing, {name: at for at, name in enumerate(road.products)})


def _goods(found: PublicRoad, slug: str) -> str:
    if slug == OTHER:
        return str(_("Other goods"))
    zh, en = found.names[slug]
    return zh if in_chinese() else en

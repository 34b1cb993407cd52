"""What citizens are shown can be ordered, and leaves on any day of the 48 hours."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from catalog.lots.queries import available, packs_for_canteens, product_sheet, shelf
from catalog.lots.rules import citizens_until
from catalog.products.models import Pack
from orders.sales import operations as sales
from orders.sales.operations import OutOfStock
from orders.sales.queries import open_allocations
from tests import makers
from tests.orders.sales.test_allocation import DAY, demand, part, plan

NOON, TODAY, days = makers.NOON, makers.TODAY, makers.days


def shown(session, product) -> int:
    """How many packs shelf, page and basket say there are: they must say the same."""
    pack = makers.pack_of(product)
    [row] = [each for each in shelf(session, today=TODAY) if each.product_id == product.id]
    sheet = product_sheet(session, product.slug, TODAY)
    free = available(session, [product.id], today=TODAY, good_until=citizens_until(TODAY))
    assert row.pack_id == pack.id
    assert row.free == sheet.packs[0].free == free.get((product.id, pack.grade), 0)
    return row.packs_free


def place(session, product, count):
    session.execute(sa.update(Pack).values(most_per_order=1_000))
    session.expire_all()
    return makers.citizen_order(session, product, count)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_shown_can_be_placed_to_the_last_pack_and_shipped_on_each_day(session, seed):
    random = Random(seed)
    radish = makers.sold_product(session, ())
    for _ in range(random.randint(2, 4)):
        keeps = random.randint(0, 5)
        makers.contribution(
            session,
            radish,
            net_g=random.randint(1, 9) * 2_500,
            best_before=TODAY + days(keeps),
            available_from=TODAY + days(random.choice([0, 0, 0, 1])),
        )
    count = shown(session, radish)

    with pytest.raises(OutOfStock):
        place(session, radish, count + 1)
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 0
    if not count:
        return
    order = place(session, radish, count)
    sales.confirm_order(session, order.id, by=makers.SOMEBODY, now=NOON)

    assert shown(session, radish) == 0
    for day in range(3):  # part by part, down to nothing on the last day of the window
        held = open_allocations(session, [order.id])
        part_of = sum(each.open for each in held) // (3 - day)
        sales.ship_order(
            session, order.id, supplier_id=order.supplier_id,
            lines={held[0].line_id: part_of},
            request_key=f"day-{day}", by=makers.SOMEBODY, now=NOON + timedelta(days=day),
        )  # fmt: skip
    assert open_allocations(session, [order.id]) == []


def test_a_lot_that_ends_tomorrow_is_for_canteens_of_today_and_for_no_parcel(session):
    radish = makers.sold_product(session, ())
    makers.contribution(session, radish, net_g=20_000, best_before=TODAY + days(1))

    assert shown(session, radish) == 0
    [(_, _, base)] = packs_for_canteens(session, today=TODAY)
    assert base == 20_000
    with pytest.raises(OutOfStock) as refused:
        place(session, radish, 1)
    assert "5 kg of 5 kg are missing" in str(refused.value.reasons[0])


def test_goods_must_be_good_until_the_last_day_a_line_may_leave_on():
    within = demand(10, until=DAY + timedelta(days=2))
    assert [s.contribution_id for s in plan([within], [part(1, 10, keeps=1), part(2, 10, keeps=2)])
            .slices] == [2]  # fmt: skip
    [short] = plan([within], [part(1, 10, keeps=1)]).shortages
    assert short.missing == 10

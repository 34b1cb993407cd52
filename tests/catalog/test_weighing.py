"""A household's goods on the scale and into the store."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from catalog.households.operations import add_plot
from catalog.lots import operations as lots
from catalog.lots.models import (
    Confirmation,
    Contribution,
    Lot,
    LotState,
    ReviewReason,
    SlipState,
    WeighSlip,
)
from catalog.lots.queries import review_of
from catalog.products.models import Grade
from catalog.products.operations import publish_purchase_price
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import Money, Price
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY


def weigh(session, product, home, **given):
    given = {"gross_g": 128_400, "tare_g": 3_200, "deduction_bp": 300, "device": "YB03", **given}
    return lots.record_slip(
        session,
        supplier_id=given.pop("supplier_id", product.supplier_id),
        household_id=home.id,
        product_id=product.id,
        grade=given.pop("grade", Grade.FIRST),
        device_seq=given.pop("device_seq", "0007"),
        weighed_at=given.pop("weighed_at", NOON),
        by=given.pop("by", SOMEBODY),
        now=NOON,
        **given,
    )


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_slip_has_net_price_and_amount_of_the_published_price(session):
    product, home = makers.product(session), makers.household(session)
    price = makers.purchase_price(session, product)
    slip = weigh(session, product, home)
    assert (slip.net_g, slip.amount) == (121_444, Money(38_862))
    assert (slip.purchase_price_id, slip.price) == (price.id, Price(32_000))
    assert slip.number == "WS26-000001"
    assert slip.state is SlipState.WEIGHED


def test_the_same_number_of_the_same_device_writes_one_slip(session):
    product, home = makers.product(session), makers.household(session)
    makers.purchase_price(session, product)
    first = weigh(session, product, home)
    assert weigh(session, product, home).id == first.id
    assert count(session, WeighSlip) == 1
    with pytest.raises(Refusal, match="already wrote slip"):
        weigh(session, product, home, gross_g=128_500)
    assert count(session, WeighSlip) == 1


def test_without_a_published_price_nothing_is_bought(session):
    product, home = makers.product(session), makers.household(session)
    makers.purchase_price(session, product, valid_from=TODAY + timedelta(days=1))
    with pytest.raises(Refusal, match="No purchase price"):
        weigh(session, product, home)
    with pytest.raises(Refusal, match="No purchase price"):
        weigh(session, product, home, grade=Grade.SECOND)
    assert count(session, WeighSlip) == 0


def test_a_new_price_begins_on_its_day_and_ends_the_old_one(session):
    product, home = makers.product(session), makers.household(session)
    old = makers.purchase_price(session, product)
    publish_purchase_price(
        session, product.id, grade=Grade.FIRST, price=Price(30_000), valid_from=TODAY,
        resolution="2026-11", by=SOMEBODY, now=NOON,
    )  # fmt: skip
    assert old.valid_to == TODAY - timedelta(days=1)
    yesterday = weigh(session, product, home, weighed_at=NOON - timedelta(days=1), device_seq="1")
    today = weigh(session, product, home, device_seq="2")
    assert (yesterday.price, today.price) == (Price(32_000), Price(30_000))


def test_a_price_before_the_last_one_is_refused_and_the_same_again_changes_nothing(session):
    product = makers.product(session)
    first = makers.purchase_price(session, product)
    assert makers.purchase_price(session, product).id == first.id
    with pytest.raises(Invalid):
        makers.purchase_price(session, product, price=Price(1), valid_from=date(2023, 1, 1))
    assert first.valid_to is None


def test_more_than_the_fields_can_bear_waits_for_a_second_person(session):
    """G19."""
    product = makers.product(session, most_yield_kg_per_mu=2_500)
    home = makers.household(session)
    makers.purchase_price(session, product)
    add_plot(
        session, home.id, place="屋后", area_mu_100=120, crop=product.code, year=2026,
        by=SOMEBODY, now=NOON,
    )  # fmt: skip
    nothing = {"tare_g": 0, "deduction_bp": 0}
    full = weigh(session, product, home, gross_g=3_300_000, device_seq="1", **nothing)
    assert review_of(session, full.id) is None
    more = weigh(session, product, home, gross_g=10, device_seq="2", **nothing)
    assert review_of(session, more.id).why == [ReviewReason.YIELD]


def test_goods_of_a_crop_the_household_does_not_grow_wait_for_a_second_person(session):
    product = makers.product(session, most_yield_kg_per_mu=2_500)
    makers.purchase_price(session, product)
    slip = weigh(session, product, makers.household(session))
    assert review_of(session, slip.id).why == [ReviewReason.YIELD]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"gross_g": 0}, "gross"),
        ({"gross_g": -5}, "gross"),
        ({"gross_g": 10**12}, "gross"),
        ({"tare_g": 128_400}, "tare"),
        ({"tare_g": -1}, "tare"),
        ({"deduction_bp": 10_000}, "deduction"),
        ({"deduction_bp": -1}, "deduction"),
    ],
)
def test_impossible_weights_are_refused_at_their_field(session, wrong, field):
    product, home = makers.product(session), makers.household(session)
    makers.purchase_price(session, product)
    with pytest.raises(Invalid) as refused:
        weigh(session, product, home, **wrong)
    assert field in refused.value.errors
    assert count(session, WeighSlip) == 0


def test_another_suppliers_product_and_slip_do_not_exist(session):
    mine, other = makers.supplier(session), makers.supplier(session)
    product, home = makers.product(session, mine), makers.household(session)
    makers.purchase_price(session, product)
    with pytest.raises(Missing):
        weigh(session, product, home, supplier_id=other.id)
    slip = makers.slip(session, product, home)
    with pytest.raises(Missing):
        lots.take_in(session, [slip.id], supplier_id=other.id, by=SOMEBODY, now=NOON)
    assert slip.state is SlipState.CONFIRMED


def test_a_supplier_that_is_not_admitted_buys_nothing(session):
    product = makers.product(session, makers.supplier(session, admitted=False))
    makers.purchase_price(session, product)
    with pytest.raises(Refusal, match="not admitted"):
        weigh(session, product, makers.household(session))


def test_who_signs_for_another_is_named(session):
    product, home = makers.product(session), makers.household(session)
    slip = makers.slip(session, product, home, confirmed=False)
    with pytest.raises(Invalid):
        lots.confirm_slip(
            session,
            slip.id,
            confirmation=Confirmation.PROXY,
            confirmed_by=" ",
            by=SOMEBODY,
            now=NOON,
        )
    assert slip.state is SlipState.WEIGHED
    lots.confirm_slip(
        session, slip.id, confirmation=Confirmation.PROXY, confirmed_by="女儿 张小妹",
        by=SOMEBODY, now=NOON,
    )  # fmt: skip
    assert (slip.state, slip.confirmed_by) == (SlipState.CONFIRMED, "女儿 张小妹")


def test_slips_of_a_day_make_one_lot_with_a_part_for_each_household(session):
    product = makers.product(session, shelf_life_days=20)
    slips = [
        makers.slip(session, product, makers.household(session, name), net_g=net)
        for name, net in (("张三", 120_000), ("李四", 80_000))
    ]
    parts = lots.take_in(
        session, [s.id for s in slips], supplier_id=product.supplier_id, by=SOMEBODY, now=NOON
    )
    [lot] = {part.lot for part in parts}
    assert [(p.household_id, p.quantity, p.on_hand, p.cost) for p in parts] == [
        (slips[0].household_id, 120_000, 120_000, Money(38_400)),
        (slips[1].household_id, 80_000, 80_000, Money(25_600)),
    ]
    assert (lot.harvested_on, lot.best_before) == (TODAY, TODAY + timedelta(days=20))
    assert lot.code.startswith(f"500114125-{product.code}-261123-001-")
    assert lot.certificate_no == "HG26-000001"
    later = makers.contribution(session, product, makers.household(session, "王五"))
    assert later.lot_id == lot.id


def test_grades_days_and_held_lots_keep_apart(session):
    product = makers.product(session)
    first = makers.contribution(session, product)
    second = makers.contribution(session, product, grade=Grade.SECOND)
    yesterday = makers.contribution(session, product, at=NOON - timedelta(days=1))
    lots.hold_lot(session, first.lot_id, reason="复检", by=SOMEBODY, now=NOON)
    after = makers.contribution(session, product)
    assert len({each.lot_id for each in (first, second, yesterday, after)}) == 4
    codes = session.scalars(sa.select(Lot.code).order_by(Lot.id)).all()
    assert [code.split("-")[2:4] for code in codes] == [
        ["261123", "001"], ["261123", "002"], ["261122", "001"], ["261123", "003"],
    ]  # fmt: skip


def test_taking_in_again_changes_nothing(session):
    product = makers.product(session)
    slip = makers.slip(session, product, makers.household(session))
    take = {"supplier_id": product.supplier_id, "by": SOMEBODY, "now": NOON}
    [first] = lots.take_in(session, [slip.id], **take)
    [again] = lots.take_in(session, [slip.id, slip.id], **take)
    assert again.id == first.id
    assert count(session, Contribution) == 1
    assert first.on_hand == first.quantity


def test_nobody_takes_in_what_they_weighed_themselves(session):
    """G29."""
    of = makers.supplier(session)
    product = makers.product(session, of)
    weigher = makers.weigher(session, of)
    slips = [
        makers.slip(session, product, makers.household(session), by=weigher),
        makers.slip(session, product, makers.household(session), confirmed=False),
    ]
    with pytest.raises(Refusal) as refused:
        lots.take_in(session, [s.id for s in slips], supplier_id=of.id, by=weigher, now=NOON)
    said = [str(reason) for reason in refused.value.reasons]
    assert len(said) == 2
    assert "weighed slip WS26-000001 yourself" in said[0]
    assert "has not confirmed slip WS26-000002" in said[1]
    assert count(session, Contribution) == 0
    assert [s.state for s in slips] == [SlipState.CONFIRMED, SlipState.WEIGHED]
    keeper = makers.storekeeper(session, of)
    lots.take_in(session, [slips[0].id], supplier_id=of.id, by=keeper, now=NOON)
    assert slips[0].taken_in_by_id == keeper.user_id


def test_a_void_slip_stays_out_and_one_in_the_store_stays_in(session):
    product = makers.product(session)
    void = makers.slip(session, product, makers.household(session))
    lots.void_slip(session, void.id, reason="称错", by=SOMEBODY, now=NOON)
    with pytest.raises(Refusal):
        lots.take_in(session, [void.id], supplier_id=product.supplier_id, by=SOMEBODY, now=NOON)
    part = makers.contribution(session, product)
    slip = session.scalar(sa.select(WeighSlip).where(WeighSlip.contribution_id == part.id))
    with pytest.raises(Refusal, match="in the store already"):
        lots.void_slip(session, slip.id, reason="称错", by=SOMEBODY, now=NOON)
    assert slip.state is SlipState.TAKEN_IN
    assert part.lot.state is LotState.OPEN

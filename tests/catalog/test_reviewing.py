"""What waits for a second person at the scale, yearly caps, and the household's card."""

from __future__ import annotations

import pytest

from catalog.lots import checks, operations, queries, rules
from catalog.lots.models import (
    Confirmation,
    Contribution,
    PurchaseCap,
    ReviewReason,
    SlipState,
)
from kernel.actors import Role
from kernel.errors import Invalid, Refusal
from kernel.money import ZERO, Money, Price
from kernel.people import Organisation
from tests import makers
from tests.catalog.test_weighing import count, weigh
from tests.makers import NOON


@pytest.fixture
def scale(session):
    """A supplier with a weigher, a manager, a storekeeper, a product at 3.20 and a household."""

    class Scale:
        supplier = makers.supplier(session)
        product = makers.product(session, supplier)
        home = makers.household(session)
        weigher = makers.weigher(session, supplier)
        keeper = makers.storekeeper(session, supplier)

    body = session.get(Organisation, Scale.supplier.organisation_id)
    Scale.manager = makers.acting(
        makers.member(session, body, Role.MANAGER, name="向负责"), Role.MANAGER, body
    )
    makers.purchase_price(session, Scale.product)
    return Scale


def cap(session, scale, amount, resolution="2026-11"):
    return operations.set_purchase_cap(
        session, scale.supplier.id, year=2026, amount=amount, resolution=resolution,
        by=scale.manager, now=NOON,
    )  # fmt: skip


def kilos(session, scale, kg, seq, **given):
    return weigh(
        session, scale.product, scale.home, gross_g=kg * 1000, tare_g=0, deduction_bp=0,
        device_seq=seq, by=scale.weigher, **given,
    )  # fmt: skip


def take_in(session, scale, slip, by=None):
    return operations.take_in(
        session, [slip.id], supplier_id=scale.supplier.id, by=by or scale.keeper, now=NOON
    )


def confirm(session, scale, slip, **how):
    how = {"confirmation": Confirmation.SIGNATURE, "confirmed_by": "张三", **how}
    return operations.confirm_slip(session, slip.id, by=scale.weigher, now=NOON, **how)


def differences(session):
    return [
        each.subject
        for check in checks.CHECKS
        if check.name in ("lots.slips", "lots.reviews", "lots.offline")
        for each in check.run(session)
    ]


def test_another_price_waits_for_a_second_person_and_only_then_enters_the_store(session, scale):
    slip = kilos(session, scale, 100, "1", asked_price=Price(35_000), reason="霜前急收")
    assert (slip.price, slip.amount) == (Price(35_000), Money(35_000))
    assert queries.review_of(session, slip.id).why == [ReviewReason.PRICE]
    confirm(session, scale, slip)
    assert slip.state is SlipState.CONFIRMED
    with pytest.raises(Refusal) as refused:
        take_in(session, scale, slip)
    assert "waits for the manager's review" in str(refused.value.reasons[0])
    assert count(session, Contribution) == 0
    operations.approve_slip(session, slip.id, note="同意", by=scale.manager, now=NOON)
    [part] = take_in(session, scale, slip)
    assert part.cost == Money(35_000)
    assert differences(session) == []


def test_another_price_needs_its_reason_and_the_published_one_no_review(session, scale):
    with pytest.raises(Invalid) as refused:
        kilos(session, scale, 100, "1", asked_price=Price(35_000), reason=" ")
    assert set(refused.value.errors) == {"reason"}
    slip = kilos(session, scale, 100, "2", asked_price=makers.FARM_PRICE, reason="照价")
    assert queries.review_of(session, slip.id) is None


def test_nobody_approves_what_they_weighed_themselves(session, scale):
    """G29, R20."""
    slip = kilos(session, scale, 100, "1", asked_price=Price(35_000), reason="霜前急收")
    with pytest.raises(Refusal, match="yourself"):
        operations.approve_slip(session, slip.id, note="同意", by=scale.weigher, now=NOON)
    with pytest.raises(Invalid):
        operations.approve_slip(session, slip.id, note=" ", by=scale.manager, now=NOON)
    assert queries.review_of(session, slip.id).approved_at is None
    review = operations.approve_slip(session, slip.id, note="同意", by=scale.manager, now=NOON)
    again = operations.approve_slip(session, slip.id, note="再来", by=scale.manager, now=NOON)
    assert (again.id, again.approval_note) == (review.id, "同意")


def test_a_void_slip_is_not_approved_and_counts_for_no_cap(session, scale):
    cap(session, scale, Money(40_000))
    slip = kilos(session, scale, 200, "1")
    operations.void_slip(session, slip.id, reason="称错", by=scale.manager, now=NOON)
    with pytest.raises(Refusal, match="is void"):
        operations.approve_slip(session, slip.id, note="同意", by=scale.manager, now=NOON)
    assert queries.open_reviews(session, scale.supplier.id) == []
    assert queries.review_of(session, kilos(session, scale, 125, "2").id) is None


def test_the_yearly_cap_warns_at_four_fifths_and_blocks_above_it(session, scale):
    cap(session, scale, Money(40_000))
    standing = lambda: queries.cap_standing(  # noqa: E731
        session, scale.supplier.id, scale.home.id, 2026
    )
    kilos(session, scale, 99, "1")
    assert not standing().near
    kilos(session, scale, 1, "2")
    assert (standing().bought, standing().near) == (Money(32_000), True)
    exactly = kilos(session, scale, 25, "3")
    assert queries.review_of(session, exactly.id) is None
    over = kilos(session, scale, 1, "4")
    assert queries.review_of(session, over.id).why == [ReviewReason.CAP]


def test_the_newest_resolution_counts_none_lifts_the_cap_and_nothing_is_a_cap_too(session, scale):
    first = cap(session, scale, Money(40_000))
    assert cap(session, scale, Money(40_000)).id == first.id
    cap(session, scale, ZERO, "2026-12")
    assert queries.review_of(session, kilos(session, scale, 1, "1").id) is not None
    cap(session, scale, None, "2026-13")
    assert queries.review_of(session, kilos(session, scale, 1000, "2").id) is None
    with pytest.raises(Invalid) as refused:
        cap(session, scale, Money(-1), " ")
    assert set(refused.value.errors) == {"amount", "resolution"}
    assert count(session, PurchaseCap) == 3


def test_the_card_s_six_digits_confirm_and_a_new_card_makes_the_old_one_worthless(session, scale):
    slip = kilos(session, scale, 1, "1")
    by_code = {"confirmation": Confirmation.CARD_CODE}
    with pytest.raises(Invalid, match="marked fields"):
        confirm(session, scale, slip, code="000000", **by_code)
    old = operations.issue_card(session, scale.home.id, by=scale.manager, now=NOON)
    new = operations.issue_card(session, scale.home.id, by=scale.manager, now=NOON)
    old_code, code = (queries.code_of_card(card, scale.home.code) for card in (old, new))
    assert (len(code), old_code != code) == (6, True)
    for wrong in (old_code, "", code[:5]):
        with pytest.raises(Invalid):
            confirm(session, scale, slip, code=wrong, **by_code)
    assert slip.state is SlipState.WEIGHED
    confirm(session, scale, slip, code=f" {code[:3]} {code[3:]}", **by_code)
    assert (slip.state, slip.confirmation) == (SlipState.CONFIRMED, Confirmation.CARD_CODE)


def test_the_self_check_finds_what_was_taken_in_or_approved_wrongly(session, scale):
    slip = kilos(session, scale, 100, "1", asked_price=Price(35_000), reason="霜前急收")
    confirm(session, scale, slip)
    operations.approve_slip(session, slip.id, note="同意", by=scale.manager, now=NOON)
    take_in(session, scale, slip)
    review = queries.review_of(session, slip.id)
    review.approved_at = None
    session.flush()
    assert differences(session) == [f"slip:{slip.id}"]
    review.approved_at, review.approved_by_id = NOON, scale.weigher.user_id
    session.flush()
    assert differences(session) == [f"slip:{slip.id}"]
    review.approved_by_id, review.reasons = scale.manager.user_id, ["above_cap"]
    session.flush()
    assert differences(session) == [f"slip:{slip.id}"]


def test_six_digits_are_six_digits():
    seen = {rules.card_code(f"{n:064x}") for n in (0, 5, 10**9, 16**63)}
    assert all(len(each) == 6 and each.isdecimal() for each in seen)


@pytest.mark.parametrize(
    ("bought", "more", "most", "near", "over"),
    [
        (0, 1, None, False, False),
        (0, 0, 0, True, False),
        (0, 1, 0, True, True),
        (79_99, 1, 100_00, False, False),
        (80_00, 20_00, 100_00, True, False),
        (80_00, 20_01, 100_00, True, True),
    ],
)
def test_a_cap_of_nothing_is_not_no_cap(bought, more, most, near, over):
    limit = None if most is None else Money(most)
    assert rules.near_the_cap(Money(bought), limit) is near
    assert rules.over_the_cap(Money(bought), Money(more), limit) is over

"""Filing the reserved share: windows, reviewers, versions; each submission frozen for good."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from kernel.errors import Invalid, Missing, Refusal
from kernel.money import ZERO, Money, parse_money
from kernel.versions import versions_of
from orders.agencies import operations
from orders.agencies.models import CanteenType, Filing, FilingState
from orders.agencies.queries.units import filing_in_force, policy_for, unit_of
from tests import makers
from tests.orders.agencies import canteens

MARCH = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def of(session):
    return canteens.canteen(session)


def draft(session, of, *, year=2026, now=MARCH, **given):
    given = {
        "canteen_type": CanteenType.OWN,
        "base": parse_money("480000"),
        "ratio_bp": 1000,
        "contact": "冉老师",
        "contact_phone": "13900000001",
        **given,
    }
    return operations.save_filing(session, of.unit.id, year, **given, by=of.buyer, now=now)


def submitted(session, of, **given):
    now = given.pop("now", MARCH)
    return operations.submit_filing(
        session, draft(session, of, now=now, **given).id, by=of.buyer, now=now
    )


def test_a_filing_goes_from_the_unit_over_the_department_to_the_district(session, of):
    filing = submitted(session, of)
    assert (filing.state, filing.reserved) == (FilingState.SUBMITTED, parse_money("48000"))
    operations.confirm_filing(session, filing.id, by=of.clerk, now=MARCH)
    operations.make_effective(session, filing.id, by=of.district, now=MARCH)
    assert filing_in_force(session, of.unit.id, 2026) == filing
    assert filing.state is FilingState.EFFECTIVE
    assert of.unit.activated_on == MARCH.date()


def test_submitting_twice_freezes_once(session, of):
    filing = submitted(session, of)
    first = filing.frozen_id
    operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert filing.frozen_id == first
    [version] = versions_of(session, f"filing:{of.unit.id}:2026")
    assert version.intact
    assert version.content()["reserved_fen"] == 4_800_000


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        (datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 31, 16, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 20, 15, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 20, 16, 0, 0, tzinfo=UTC), False),
    ],
)
def test_the_window_is_true_to_the_second_in_shanghai(session, of, now, open_):
    filing = draft(session, of, now=now)
    if open_:
        operations.submit_filing(session, filing.id, by=of.buyer, now=now)
        assert filing.state is FilingState.SUBMITTED
    else:
        with pytest.raises(Refusal):
            operations.submit_filing(session, filing.id, by=of.buyer, now=now)
        assert filing.state is FilingState.DRAFT


def test_all_faults_are_said_at_once(session, of):
    filing = draft(session, of, base=ZERO, ratio_bp=900, contact="", contact_phone="12")
    with pytest.raises(Invalid) as refused:
        operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert set(refused.value.errors) == {"base", "ratio_bp", "contact", "contact_phone"}
    assert filing.frozen_id is None


def test_whoever_decides_is_the_department_then_the_district_of_that_place(session, of):
    filing = submitted(session, of)
    with pytest.raises(Refusal):  # not confirmed yet
        operations.make_effective(session, filing.id, by=of.district, now=MARCH)
    other = makers.organisation(session, "黔江区卫生健康委员会", kind=of.department.kind)
    stranger = canteens.actor(session, other, of.clerk.role, "外人")
    with pytest.raises(Missing):
        operations.confirm_filing(session, filing.id, by=stranger, now=MARCH)
    with pytest.raises(Refusal):
        operations.confirm_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert filing.state is FilingState.SUBMITTED


def test_what_is_sent_back_may_come_again_after_the_window(session, of):
    filing = submitted(session, of)
    with pytest.raises(Invalid):
        operations.return_filing(session, filing.id, reason=" ", by=of.clerk, now=MARCH)
    operations.return_filing(session, filing.id, reason="基数偏低", by=of.clerk, now=MARCH)
    late = datetime(2026, 4, 2, 2, 0, tzinfo=UTC)
    again = draft(session, of, base=parse_money("500000"), now=late)
    assert again.id == filing.id
    operations.submit_filing(session, again.id, by=of.buyer, now=late)
    assert [v.number for v in versions_of(session, f"filing:{of.unit.id}:2026")] == [1, 2]


def test_a_correction_is_a_new_version_and_the_old_one_stays_until_it_is_in_force(session, of):
    first = canteens.filed(session, of)
    with pytest.raises(Refusal):
        draft(session, of)
    later = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
    fresh = operations.correct_filing(
        session, first.id, explanation="学生减少", by=of.buyer, now=later
    )
    assert (
        fresh.id
        == operations.correct_filing(
            session, first.id, explanation="学生减少", by=of.buyer, now=later
        ).id
    )
    assert filing_in_force(session, of.unit.id, 2026) == first
    draft(session, of, base=parse_money("400000"), explanation="学生减少", now=later)
    operations.submit_filing(session, fresh.id, by=of.buyer, now=later)
    operations.confirm_filing(session, fresh.id, by=of.clerk, now=later)
    operations.make_effective(session, fresh.id, by=of.district, now=later)
    assert (first.state, fresh.state) == (FilingState.SUPERSEDED, FilingState.EFFECTIVE)
    assert (fresh.version, fresh.reserved) == (2, parse_money("40000"))


def test_a_fall_below_last_year_must_be_explained(session, of):
    canteens.filed(session, of, year=2025, base="600000")
    filing = draft(session, of)
    with pytest.raises(Invalid) as refused:
        operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert set(refused.value.errors) == {"explanation"}
    draft(session, of, explanation="搬迁")
    operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert filing.warnings == ["share_fell_with_explanation"]


def test_g4_no_canteen_is_noted_and_reserves_nothing(session, of):
    filing = submitted(session, of, canteen_type=CanteenType.NONE, union_budget=Money(6_000_000))
    operations.confirm_filing(session, filing.id, by=of.clerk, now=MARCH)
    operations.make_effective(session, filing.id, by=of.district, now=MARCH)
    assert (filing.state, filing.reserved) == (FilingState.NOTED, ZERO)
    assert of.unit.canteen_type is CanteenType.NONE


def test_g6_a_chain_of_representatives_is_refused(session, of):
    leading = canteens.unit(session, "机关食堂", canteen_type=CanteenType.SHARED_LEADING)
    shared = canteens.unit(
        session, "林业局", canteen_type=CanteenType.SHARED, representative_id=leading.id
    )
    with pytest.raises(Invalid):
        canteens.unit(
            session, "水利局", canteen_type=CanteenType.SHARED, representative_id=shared.id
        )
    filing = draft(session, of, canteen_type=CanteenType.SHARED, representative_id=shared.id)
    with pytest.raises(Invalid) as refused:
        operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert set(refused.value.errors) == {"representative_id"}
    draft(session, of, canteen_type=CanteenType.SHARED, representative_id=leading.id)
    operations.submit_filing(session, filing.id, by=of.buyer, now=MARCH)
    assert filing.state is FilingState.SUBMITTED


def test_nobody_files_for_another_unit(session, of):
    other = canteens.unit(session, "黔江中学")
    with pytest.raises(Missing):
        operations.save_filing(
            session, other.id, 2026, canteen_type=CanteenType.OWN, base=Money(1), ratio_bp=1000,
            contact="甲", contact_phone="13900000001", by=of.buyer, now=MARCH,
        )  # fmt: skip
    assert session.scalar(sa.select(sa.func.count()).select_from(Filing)) == 0


def test_the_narrowest_region_with_a_policy_wins(session, of):
    canteens.policy(session, region_code="500000000000", ratio_floor_bp=1500)
    assert policy_for(session, "500114125201", 2026).ratio_floor_bp == 1000
    assert policy_for(session, "500101001000", 2026).ratio_floor_bp == 1500
    with pytest.raises(Refusal):
        policy_for(session, "110101001000", 2026)
    with pytest.raises(Missing):
        unit_of(session, of.coop.id)

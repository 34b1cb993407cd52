"""The split of a line, as arithmetic without a database (domain.md §4.2)."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.lots.rules import cost_from_the_top
from kernel.money import ZERO, Money, Price, parse_money, parse_price, total
from kernel.quantities import BaseUnit
from orders.shares.rules.split import (
    COOPERATIVE,
    FARM_GATE,
    POOLS,
    RETAINED,
    CostTerm,
    Part,
    Piece,
    Standing,
    Terms,
    benefit_rate,
    reaching_households,
    reverse,
    sold_cost,
    split_line,
)

KG = 1000
FREIGHT = CostTerm("freight", per_unit=parse_price("0.45"))
PACKAGING = CostTerm("packaging", per_unit=parse_price("0.20"))
FEE = CostTerm("payment_fee", share_bp=60, citizens_only=True)


def terms(model="floor_and_rebate", retained_bp=3000, costs=(FREIGHT, PACKAGING)) -> Terms:
    return Terms(model, retained_bp, tuple(costs))


def piece(number, kg, *, household=0, accepted=None, cost="0") -> Piece:
    grams = int(kg * KG)
    return Piece(
        number,
        number if household == 0 else household,
        grams,
        grams if accepted is None else int(accepted * KG),
        parse_money(cost),
    )


def split(amount, pieces, *, rule=None, citizen=False) -> list[Part]:
    return split_line(rule or terms(), parse_money(amount), BaseUnit.GRAM, pieces, citizen=citizen)


def sums(parts) -> dict[tuple[str, int | None], str]:
    found: dict[tuple[str, int | None], Money] = {}
    for part in parts:
        found[part.kind, part.household_id] = (
            found.get((part.kind, part.household_id), ZERO) + part.amount
        )
    return {key: amount.yuan for key, amount in found.items()}


# 200 kg of radish at 6.00 shipped, 196 kg accepted; A brought 120 kg, B 80 kg at 3.20.
CANTEEN = [
    piece(1, 120, accepted=117.6, cost="384.00"),
    piece(2, 80, accepted=78.4, cost="256.00"),
]


def test_the_worked_example():
    parts = split("1176.00", CANTEEN)

    assert sums(parts) == {
        (FARM_GATE, 1): "384.00",
        (FARM_GATE, 2): "256.00",
        ("freight", None): "90.00",
        ("packaging", None): "40.00",
        (RETAINED, None): "121.80",
        ("rebate", 1): "170.52",
        ("rebate", 2): "113.68",
    }
    assert reaching_households(parts) == parse_money("924.20")
    rate = benefit_rate(parts)
    assert rate == Fraction(92420, 117600)
    assert round(float(rate) * 100, 2) == 78.59


def test_a_household_that_was_bought_out_gets_nothing_of_the_margin():
    parts = split("1176.00", CANTEEN, rule=terms("buy_out"))

    assert sums(parts) == {
        (FARM_GATE, 1): "384.00",
        (FARM_GATE, 2): "256.00",
        ("freight", None): "90.00",
        ("packaging", None): "40.00",
        (RETAINED, None): "121.80",
        (COOPERATIVE, None): "284.20",
    }


def test_goods_on_consignment_pay_their_household_after_the_sale():
    pieces = [piece(1, 120), piece(2, 80)]

    parts = split("1200.00", pieces, rule=terms("consignment", 1000))

    assert sums(parts) == {
        ("freight", None): "90.00",
        ("packaging", None): "40.00",
        (RETAINED, None): "107.00",
        ("consigned", 1): "577.80",
        ("consigned", 2): "385.20",
    }


def test_golden_12_what_was_rejected_is_not_paid_for():
    """200 kg shipped, 196 weighed, 6 rejected: 190 kg at 6.00 are 1140.00."""
    amount = parse_price("6.00").of(190 * KG, BaseUnit.GRAM)
    pieces = [
        piece(1, 120, accepted=114, cost="384.00"),
        piece(2, 80, accepted=76, cost="256.00"),
    ]

    parts = split(amount.yuan, pieces)

    assert amount.yuan == "1140.00"
    assert total(part.amount for part in parts) == amount
    assert sums(parts)[RETAINED, None] == "111.00"  # 30 % of 1140 − 130 − 640


def test_golden_15_parts_of_a_hundred_yuan_and_one_fen():
    pieces = [piece(1, 1265), piece(2, 842.5), piece(3, 517.5)]

    parts = split("100.01", pieces, rule=terms("consignment", 0, ()))

    assert sums(parts) == {
        ("consigned", 1): "48.19",
        ("consigned", 2): "32.10",
        ("consigned", 3): "19.72",
    }


def test_the_other_vector_of_the_largest_remainder():
    pieces = [Piece(n, n, weight, weight, ZERO) for n, weight in ((1, 333), (2, 333), (3, 334))]

    parts = split("1000.00", pieces, rule=terms("consignment", 0, ()))

    assert [part.amount.yuan for part in parts] == ["333.00", "333.00", "334.00"]


def test_ties_go_to_the_lower_household():
    pieces = [piece(7, 1, household=9), piece(8, 1, household=4)]

    parts = split("0.01", pieces, rule=terms("consignment", 0, ()))

    assert sums(parts) == {("consigned", 4): "0.01", ("consigned", 9): "0.00"}


def test_a_household_with_two_contributions_has_one_share():
    """1 fen over (A 1 + 1 kg, B 1.5 kg): A's two goods together weigh more than B's."""
    pieces = [piece(1, 1, household=5), piece(2, 1, household=5), piece(3, 1.5, household=4)]

    parts = split("0.01", pieces, rule=terms("consignment", 0, ()))

    assert sums(parts) == {("consigned", 4): "0.00", ("consigned", 5): "0.01"}


def test_only_citizens_pay_for_the_payment():
    rule = terms("buy_out", 0, (FEE,))

    assert ("payment_fee", None) not in sums(split("58.00", [piece(1, 10)], rule=rule))
    assert sums(split("58.00", [piece(1, 10)], rule=rule, citizen=True)) == {
        ("payment_fee", None): "0.35",
        (COOPERATIVE, None): "57.65",
    }


def test_goods_of_the_cooperatives_own_base_leave_their_share_with_it():
    pieces = [piece(1, 60), piece(2, 40, household=None)]

    parts = split("100.00", pieces, rule=terms("consignment", 0, ()))

    assert sums(parts) == {("consigned", 1): "60.00", (COOPERATIVE, None): "40.00"}


def test_a_loss_is_borne_by_the_cooperative_and_never_by_a_household():
    parts = split("500.00", CANTEEN)

    assert sums(parts) == {
        (FARM_GATE, 1): "384.00",
        (FARM_GATE, 2): "256.00",
        ("freight", None): "90.00",
        ("packaging", None): "40.00",
        ("rebate", 1): "0.00",
        ("rebate", 2): "0.00",
        (COOPERATIVE, None): "-270.00",
    }


def test_a_line_of_which_nothing_was_accepted_is_a_loss_of_what_it_cost():
    parts = split("0.00", [piece(1, 10, accepted=0, cost="32.00")])

    assert sums(parts) == {
        (FARM_GATE, 1): "32.00",
        ("freight", None): "4.50",
        ("packaging", None): "2.00",
        (COOPERATIVE, None): "-38.50",
    }


models = st.sampled_from(["buy_out", "consignment", "floor_and_rebate"])
prices = st.integers(0, 200_000).map(Price)
costs = st.lists(
    st.one_of(
        st.builds(CostTerm, st.just("freight"), per_unit=prices),
        st.builds(CostTerm, st.just("payment_fee"), share_bp=st.integers(0, 3000)),
    ),
    max_size=3,
)
rules_ = st.builds(Terms, models, st.integers(0, 10_000), costs.map(tuple))


@st.composite
def some_pieces(draw):
    count = draw(st.integers(1, 6))
    found = []
    for number in range(1, count + 1):
        consumed = draw(st.integers(1, 500_000))
        accepted = draw(st.integers(0, consumed))
        household = draw(st.one_of(st.none(), st.integers(1, 4)))
        found.append(
            Piece(number, household, consumed, accepted, Money(draw(st.integers(0, 200_000))))
        )
    return found


@given(rules_, st.integers(0, 10**8), some_pieces(), st.booleans(), st.integers())
def test_parts_add_up_and_no_household_falls_below_its_farm_gate(rule, fen, pieces, citizen, seed):
    amount = Money(fen)

    parts = split_line(rule, amount, BaseUnit.GRAM, pieces, citizen=citizen)

    assert total(part.amount for part in parts) == amount
    for part in parts:
        if part.household_id is not None:
            assert part.amount >= ZERO, part
    farm = {each.contribution_id: each.cost for each in pieces if each.cost}
    assert {p.contribution_id: p.amount for p in parts if p.kind == FARM_GATE} == farm
    pool = POOLS.get(rule.model)
    assert {part.kind for part in parts} <= {
        FARM_GATE, RETAINED, COOPERATIVE, "freight", "payment_fee", *([pool] if pool else []),
    }  # fmt: skip

    shuffled = list(pieces)
    Random(seed).shuffle(shuffled)
    assert split_line(rule, amount, BaseUnit.GRAM, shuffled, citizen=citizen) == parts


@given(st.integers(0, 10**7), st.lists(st.integers(1, 10**5), min_size=1, max_size=12))
def test_what_a_contribution_cost_is_given_out_exactly_over_any_sales(fen, sales):
    quantity, sold, given_out = sum(sales), 0, ZERO
    for more in sales:
        given_out += sold_cost(Money(fen), quantity, sold, more)
        sold += more

    assert given_out == Money(fen)


@given(
    st.integers(0, 10**7),
    st.lists(
        st.tuples(st.sampled_from(["sale", "loss", "return"]), st.integers(1, 10**4)), max_size=20
    ),
)
def test_sales_losses_and_returns_together_cost_what_was_paid(fen, history):
    quantity = 30_000
    sold = gone = 0
    on_the_books = Money(fen)
    for what, much in history:
        free = quantity - sold - gone
        if what == "sale" and (much := min(much, free)):
            on_the_books -= sold_cost(Money(fen), quantity, sold, much)
            sold += much
        elif what == "loss" and (much := min(much, free)):
            on_the_books -= Money(cost_from_the_top(fen, quantity, gone, much))
            gone += much
        elif what == "return" and (much := min(much, sold)):
            on_the_books -= sold_cost(Money(fen), quantity, sold, -much)
            sold -= much
        assert on_the_books >= ZERO
    left = quantity - sold - gone
    on_the_books -= sold_cost(Money(fen), quantity, sold, left)
    assert on_the_books == ZERO


def standing(parts, *, unpaid=None) -> Standing:
    """As the line stands; by default nothing of the pool has been paid."""
    by_key: dict[tuple[str, int | None], Money] = {}
    weights = []
    for part in parts:
        pooled = part.kind in POOLS.values()
        key = part.kind, part.household_id if pooled else None
        by_key[key] = by_key.get(key, ZERO) + part.amount
        if part.contribution_id is not None and (pooled or part.kind == COOPERATIVE):
            weights.append((part.household_id, part.contribution_id, part.quantity))
    owed = {who: amount for (kind, who), amount in by_key.items() if who is not None}
    return Standing(by_key, weights, owed if unpaid is None else unpaid)


def after(before: Standing, changes, *, unpaid=None) -> Standing:
    by_key = dict(before.parts)
    for part in changes:
        key = part.kind, part.household_id if part.kind in POOLS.values() else None
        by_key[key] = by_key.get(key, ZERO) + part.amount
    owed = {who: amount for (kind, who), amount in by_key.items() if who is not None}
    return Standing(by_key, before.weights, owed if unpaid is None else unpaid)


def test_a_refund_before_the_payout_shrinks_the_rebate_and_the_retained_share():
    """10 % back: the margin falls from 406.00 to 288.40; goods and costs were spent anyway."""
    before = standing(split("1176.00", CANTEEN))

    changes = reverse(terms(), before, parse_money("117.60"))

    assert sums(changes) == {
        (RETAINED, None): "-35.28",
        ("rebate", 1): "-49.39",
        ("rebate", 2): "-32.93",
    }


def test_golden_16_a_refund_after_the_payout_leaves_households_what_they_have():
    before = standing(split("1176.00", CANTEEN), unpaid={1: ZERO, 2: ZERO})

    changes = reverse(terms(), before, parse_money("117.60"))

    assert sums(changes) == {(RETAINED, None): "-117.60"}


def test_when_the_collective_has_no_more_the_cooperative_bears_the_rest():
    before = standing(split("1176.00", CANTEEN), unpaid={1: ZERO, 2: parse_money("13.68")})

    changes = reverse(terms(), before, parse_money("1176.00"))

    assert sums(changes) == {
        (RETAINED, None): "-121.80",
        ("rebate", 2): "-13.68",
        (COOPERATIVE, None): "-1040.52",
    }


def test_what_is_back_in_the_store_gives_its_cost_back():
    before = standing(split("1176.00", CANTEEN))
    back = [piece(1, 120, cost="384.00"), piece(2, 80, cost="256.00")]

    changes = reverse(terms(), before, parse_money("1176.00"), back)

    assert sums(changes) == {
        (FARM_GATE, 1): "-384.00",
        (FARM_GATE, 2): "-256.00",
        (RETAINED, None): "-121.80",
        ("rebate", 1): "-170.52",
        ("rebate", 2): "-113.68",
        (COOPERATIVE, None): "-130.00",
    }


@given(rules_, st.integers(1, 10**6), some_pieces(), st.lists(st.integers(1, 10**6), max_size=6))
def test_any_sequence_of_refunds_ends_where_one_refund_would(rule, fen, pieces, refunds):
    parts = split_line(rule, Money(fen), BaseUnit.GRAM, pieces, citizen=True)
    start = standing(parts)
    now = start
    for refund in refunds:
        back = min(Money(refund), now.amount)
        if back:
            changes = reverse(rule, now, back)
            assert total(part.amount for part in changes) == -back
            now = after(now, changes)
    gone = start.amount - now.amount
    if gone:
        once = after(start, reverse(rule, start, gone))
        assert {k: v for k, v in once.parts.items() if v} == {
            k: v for k, v in now.parts.items() if v
        }


@given(rules_, st.integers(1, 10**6), some_pieces(), st.data())
def test_no_refund_takes_back_what_a_household_was_paid(rule, fen, pieces, data):
    parts = split_line(rule, Money(fen), BaseUnit.GRAM, pieces, citizen=True)
    now = standing(parts)
    pool = rule.pool
    owed = {who: amount for (kind, who), amount in now.parts.items() if who is not None}
    unpaid = {
        who: Money(data.draw(st.integers(0, max(amount.fen, 0)))) for who, amount in owed.items()
    }
    paid = {who: owed[who] - unpaid[who] for who in owed}
    back = Money(data.draw(st.integers(1, fen)))

    left = after(now, reverse(rule, Standing(now.parts, now.weights, unpaid), back))

    assert left.amount == now.amount - back
    for who, amount in paid.items():
        assert left.parts.get((pool, who), ZERO) >= amount


@pytest.mark.parametrize("model", ["buy_out", "consignment", "floor_and_rebate"])
def test_the_same_line_is_always_split_the_same(model):
    assert split("1176.00", CANTEEN, rule=terms(model)) == split(
        "1176.00", CANTEEN, rule=terms(model)
    )

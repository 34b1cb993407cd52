"""The choice of lots, as a rule without a database."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orders.sales.rules.allocation import Demand, Slice, Standing, Stock, allocate

DAY = date(2026, 11, 23)


def demand(
    quantity: int,
    *,
    key: int = 1,
    product: int = 1,
    on: date = DAY,
    until: date | None = None,
    worth: int = 1,
) -> Demand:
    return Demand(
        key=key, product_id=product, grade="first", quantity=quantity, on=on, until=until,
        worth=Fraction(worth),
    )  # fmt: skip


def part(
    number: int,
    free: int,
    *,
    household: int | None = -1,
    keeps: int = 10,
    since: int = -5,
    product: int = 1,
    held: bool = False,
) -> Stock:
    return Stock(
        contribution_id=number,
        product_id=product,
        grade="first",
        household_id=number if household == -1 else household,
        free=free,
        best_before=DAY + timedelta(days=keeps),
        available_from=DAY + timedelta(days=since),
        held=held,
    )


def plan(demands, stock, **more):
    return allocate(demands, stock, bucket_days={1: 3, 2: 30}, **more)


def taken(slices: tuple[Slice, ...]) -> list[tuple[int, int]]:
    return [(each.contribution_id, each.quantity) for each in slices]


def test_what_expires_in_an_earlier_bucket_goes_first():
    found = plan([demand(6)], [part(1, 10, keeps=8), part(2, 4, keeps=1)])

    assert taken(found.slices) == [(2, 4), (1, 2)]
    assert [each.reason["bucket"] for each in found.slices] == [0, 2]


def test_within_a_bucket_the_household_furthest_behind_goes_first():
    standings = {(1, 1): Standing(30, 100), (2, 1): Standing(29, 100), (3, 1): Standing(1, 3)}

    found = plan(
        [demand(25)],
        [part(1, 10, keeps=6), part(2, 10, keeps=8), part(3, 10, keeps=7)],
        standings=standings,
    )

    assert taken(found.slices) == [(2, 10), (1, 10), (3, 5)]
    assert (found.slices[0].reason["served"], found.slices[0].reason["weight"]) == (29, 100)


def test_equal_shares_go_to_the_lower_contribution_and_the_own_base_comes_last():
    found = plan([demand(3)], [part(9, 1, household=None), part(7, 1), part(8, 1)])

    assert taken(found.slices) == [(7, 1), (8, 1), (9, 1)]


def test_goods_that_are_not_there_yet_held_or_too_old_on_the_promised_day_are_not_drawn():
    stock = [
        part(1, 10, since=1),
        part(2, 10, held=True),
        part(3, 10, keeps=-1),
        part(4, 2, keeps=0, since=0),
    ]

    found = plan([demand(3)], stock)

    [short] = found.shortages
    assert (short.wanted, short.missing) == (3, 1)
    assert taken(found.slices) == [(4, 2)]


def test_two_lines_of_one_product_do_not_both_see_the_same_goods():
    found = plan([demand(30, key=1), demand(30, key=2)], [part(1, 50)])

    [short] = found.shortages
    assert (short.wanted, short.missing) == (60, 10)


def test_every_product_that_falls_short_is_named():
    demands = [demand(5, key=1), demand(9, key=2, product=2), demand(1, key=3, product=3)]

    found = plan(demands, [part(1, 5), part(2, 4, product=2)])

    assert [(s.product_id, s.missing) for s in found.shortages] == [(2, 5), (3, 1)]


def test_a_household_at_its_cap_is_passed_over_and_the_next_slice_says_so():
    found = plan([demand(10, worth=50)], [part(1, 10), part(2, 10)], cap_left={1: 220, 2: 10_000})

    assert taken(found.slices) == [(1, 4), (2, 6)]
    assert found.slices[1].reason["capped"] == [1]


def test_a_cap_counts_over_several_lots_and_lines_and_zero_is_not_no_cap():
    stock = [part(1, 5, household=7), part(2, 5, household=7), part(3, 50, household=8)]

    found = plan(
        [demand(6, key=1, worth=10), demand(6, key=2, worth=10)], stock, cap_left={7: 60, 8: 0}
    )

    [short] = found.shortages
    assert (short.wanted, short.missing, short.capped) == (12, 6, 6)
    assert taken(found.slices) == [(1, 5), (2, 1)]


def test_a_later_day_is_not_starved_by_fairness_to_an_earlier_one():
    today_only, later = part(1, 5, keeps=0), part(2, 5, keeps=2)
    demands = [demand(5, key=1), demand(5, key=2, on=DAY + timedelta(days=2))]

    found = plan([*demands], [today_only, later], standings={(1, 1): Standing(9, 10)})

    assert found.shortages == ()
    assert taken(found.slices) == [(1, 5), (2, 5)]


days = st.integers(0, 4).map(lambda n: DAY + timedelta(days=n))
demands_of = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 2), days, st.integers(0, 9)),
    min_size=1,
    max_size=6,
).map(
    lambda rows: [
        demand(quantity, key=key, product=product, on=on, worth=worth)
        for key, (quantity, product, on, worth) in enumerate(rows)
    ]
)
stock_of = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.one_of(st.none(), st.integers(1, 4)),
        st.integers(-1, 9),
        st.integers(-3, 3),
        st.integers(1, 2),
        st.booleans(),
    ),
    max_size=10,
).map(
    lambda rows: [
        part(number, free, household=who, keeps=keeps, since=since, product=product, held=held)
        for number, (free, who, keeps, since, product, held) in enumerate(rows, 1)
    ]
)
standings_of = st.dictionaries(
    st.tuples(st.integers(1, 4), st.integers(1, 2)),
    st.builds(Standing, st.integers(0, 50), st.integers(0, 50)),
)
caps_of = st.one_of(st.none(), st.dictionaries(st.integers(1, 4), st.integers(0, 200)))


@given(demands_of, stock_of, standings_of, caps_of)
def test_slices_add_up_or_the_shortage_says_exactly_what_is_missing(
    demands, stock, standings, caps
):
    found = plan(demands, stock, standings=standings, cap_left=caps)

    missing = {(s.product_id, s.grade): s.missing for s in found.shortages}
    for product in (1, 2):
        wanted = sum(d.quantity for d in demands if d.product_id == product)
        keys = {d.key for d in demands if d.product_id == product}
        got = sum(s.quantity for s in found.slices if s.key in keys)
        assert got + missing.get((product, "first"), 0) == wanted
    if not found.shortages:
        for each in demands:
            assert sum(s.quantity for s in found.slices if s.key == each.key) == each.quantity


@given(demands_of, stock_of, standings_of, caps_of)
def test_nothing_is_drawn_beyond_what_is_free_fitting_and_permitted(
    demands, stock, standings, caps
):
    found = plan(demands, stock, standings=standings, cap_left=caps)

    parts = {each.contribution_id: each for each in stock}
    lines = {each.key: each for each in demands}
    used: dict[int, int] = {}
    worth: dict[int, Fraction] = {}
    for each in found.slices:
        source = parts[each.contribution_id]
        assert each.quantity > 0
        assert source.fits(lines[each.key])
        used[each.contribution_id] = used.get(each.contribution_id, 0) + each.quantity
        if each.household_id is not None:
            spent = worth.get(each.household_id, Fraction(0))
            worth[each.household_id] = spent + each.quantity * lines[each.key].worth
    assert all(quantity <= parts[number].free for number, quantity in used.items())
    assert all(worth.get(who, 0) <= most for who, most in (caps or {}).items())
    pairs = [(each.key, each.contribution_id) for each in found.slices]
    assert len(pairs) == len(set(pairs))


@given(demands_of, stock_of, standings_of, caps_of, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(demands, stock, standings, caps, random: Random):
    found = plan(demands, stock, standings=standings, cap_left=caps)
    random.shuffle(demands)
    random.shuffle(stock)

    assert plan(demands, stock, standings=standings, cap_left=caps) == found


@given(demands_of, stock_of, standings_of)
def test_within_a_line_buckets_never_go_backwards(demands, stock, standings):
    found = plan(demands, stock, standings=standings)

    for each in demands:
        buckets = [s.reason["bucket"] for s in found.slices if s.key == each.key]
        assert buckets == sorted(buckets)


@given(demands_of, stock_of, standings_of)
def test_nobody_is_refused_what_could_have_been_served(demands, stock, standings):
    found = plan(demands, stock, standings=standings)

    for product in (1, 2):
        lines = [d for d in demands if d.product_id == product]
        parts = [s for s in stock if s.product_id == product]
        short = any(s.product_id == product for s in found.shortages)
        # Hall: it can be served exactly if every set of lines finds enough goods that fit it.
        enough = all(
            sum(d.quantity for d in some)
            <= sum(s.free for s in parts if any(s.fits(d) for d in some))
            for size in range(1, len(lines) + 1)
            for some in combinations(lines, size)
        )
        assert short == (not enough)

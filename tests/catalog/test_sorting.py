"""One lot is sorted into several grades on one slip: nothing is lost, nothing gained, and the whole
slip can be taken back while nothing has followed it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from catalog.lots import operations as lots
from catalog.lots import queries, rules
from catalog.lots.models import ConformityCertificate, Contribution, Lot, LotState, Processing
from catalog.lots.queries.flows import flows_of
from catalog.products.models import Grade
from kernel import audit
from kernel.errors import Invalid, Refusal
from tests import makers
from tests.catalog.test_store_pages import Store
from tests.makers import NOON, TODAY

PARTS = st.lists(
    st.tuples(st.sampled_from([None, 1, 2, 3, 4]), st.integers(1, 90_000), st.integers(0, 90_000)),
    min_size=1,
    max_size=6,
)


@given(parts=PARTS, cuts=st.lists(st.integers(1, 1_000), min_size=1, max_size=4))
def test_every_gram_and_every_fen_of_a_sorting_is_somebodys(parts, cuts):
    inputs = [rules.Part(*part) for part in parts]
    put_in = sum(part.quantity for part in inputs)
    outputs = [max(1, put_in * cut // sum(cuts)) for cut in cuts]
    carried = rules.carry_over(inputs, outputs)
    assert [sum(part.quantity for part in each) for each in carried] == outputs
    assert sum(part.cost for each in carried for part in each) == sum(p.cost for p in inputs)
    whose = {part.household_id for part in inputs}
    assert {part.household_id for each in carried for part in each} <= whose
    weight = {h: sum(p.quantity for p in inputs if p.household_id == h) for h in whose}
    for output, each in zip(outputs, carried, strict=True):
        for part in each:  # nobody is more than a gram from the exact share
            assert abs(part.quantity * put_in - output * weight[part.household_id]) < put_in


@pytest.fixture
def store(db, app):
    return Store(db, app)


def test_a_lot_becomes_a_lot_of_each_grade_on_a_phone(store):
    keeper = store.sits("keeper").open("/coop/stock/processing").follow("Sort into grades")
    keeper.follow(store.product.name_en)
    keeper.press("Write the sorting slip", status=422, First="60").sees("Enter a weight")
    page = keeper.press(
        "Write the sorting slip", **{"How much was sorted": "100"},
        First="60", Second="30", Waste="8.5",
    )  # fmt: skip
    page.sees("PR26", "60", "30", "8.5")
    [made] = store.rows(Processing)
    assert (made.input_quantity, made.output_quantity, made.waste) == (100_000, 90_000, 8_500)
    source, first, second = store.rows(Lot)
    assert [(lot.grade, lot.best_before, lot.harvested_on) for lot in (first, second)] == [
        (Grade.FIRST, source.best_before, source.harvested_on),
        (Grade.SECOND, source.best_before, source.harvested_on),
    ]
    parts = store.rows(Contribution)
    # 120 : 80 of each grade; 320.00 went in, and all of it came out.
    assert [part.quantity for part in parts[2:]] == [36_000, 24_000, 18_000, 12_000]
    assert sum(part.cost.fen for part in parts[2:]) == 32_000
    assert first.certificate_no
    assert second.certificate_no != first.certificate_no
    issued = {each.lot_id: each for each in store.rows(ConformityCertificate)}
    assert issued[second.id].quantity == 30_000
    assert issued[second.id].sources == [source.certificate_no]
    with store.db.reading() as session:
        assert {link.lot_id for link in queries.made_into(session, [source.id])} == {
            first.id, second.id
        }  # fmt: skip
        assert [link.lot_id for link in queries.made_of(session, [second.id])] == [source.id]
        [out] = [flow for flow in flows_of(session, source.id) if flow.quantity < 0]
        assert out.other.split() == [first.code, second.code]
        [came] = flows_of(session, second.id)
        assert came.other == source.code
    page.again().sees("PR26")  # the double click is the same slip
    assert len(store.rows(Processing)) == 1
    store.agrees()


def test_the_whole_slip_is_undone_or_nothing_of_it(store):
    with store.db.transaction() as session:
        made = lots.sort_lot(
            session, store.lot.id, 100_000,
            [lots.Sorted(Grade.FIRST, 70_000), lots.Sorted(Grade.MIXED, 30_000)],
            supplier_id=store.lot.supplier_id, on=TODAY, by=makers.SOMEBODY, now=NOON,
        )  # fmt: skip
        number = made.number
        part = session.scalars(
            sa.select(Contribution).where(Contribution.lot_id == made.others[0].lot_id)
        ).first()
        lots.reserve(session, [(part.id, 1_000)])
        held = part.id
    keeper = store.sits("keeper").open(f"/coop/stock/processing/{number}")
    keeper.press("Undo this step", Why="分错了", status=409).sees("spoken for")
    assert [lot.state for lot in store.rows(Lot)] == [LotState.OPEN] * 3
    with store.db.transaction() as session:
        lots.release(session, [(held, 1_000)])
        audit.note(session, "release", "test", by=makers.SOMEBODY, now=NOON)
    keeper.open(f"/coop/stock/processing/{number}").press("Undo this step", Why="分错了")
    assert [lot.state for lot in store.rows(Lot)] == [
        LotState.OPEN, LotState.CLOSED, LotState.CLOSED
    ]  # fmt: skip
    assert store.on_hand()[:2] == [120_000, 80_000]
    store.agrees()


def test_a_sorting_that_does_not_add_up_is_weighed_again_or_explained(session):
    product = makers.sold_product(session, (100_000,))
    [lot] = session.scalars(sa.select(Lot)).all()
    what = {"supplier_id": product.supplier_id, "on": TODAY, "by": makers.SOMEBODY, "now": NOON}

    def sort(put_in, first, waste=0, **more):
        return lots.sort_lot(
            session, lot.id, put_in, [lots.Sorted(Grade.FIRST, first)], waste=waste, **what, **more
        )

    with pytest.raises(Invalid) as more:
        sort(50_000, 50_000, 1)
    assert "more than what was put in" in str(more.value.reasons[0])
    with pytest.raises(Invalid) as less:
        sort(50_000, 40_000, 8_999)
    assert "more than 2 %" in str(less.value.reasons[0])
    with pytest.raises(Refusal) as short:
        sort(100_001, 100_001)
    assert "has only" in str(short.value.reasons[0])
    with pytest.raises(Invalid) as twice:
        lots.sort_lot(session, lot.id, 2_000, [lots.Sorted(Grade.FIRST, 1_000)] * 2, **what)
    assert "once" in str(twice.value.reasons[0])
    assert session.scalar(sa.select(sa.func.count(Processing.id))) == 0
    assert sort(50_000, 40_000, 9_000).waste == 9_000
    assert sort(50_000, 40_000, 100, reason="雨天采收，水分大").reason == "雨天采收，水分大"


def test_the_workshop_takes_the_same_number_of_queries_however_many_grades(store, statements):
    page = store.sits("keeper").open("/coop/stock/processing")

    def count():
        statements.clear()
        page.open("/coop/stock/processing")
        return len(statements)

    def sort(*grades):
        with store.db.transaction() as session:
            lots.sort_lot(
                session, store.lot.id, 1_000 * len(grades),
                [lots.Sorted(grade, 1_000) for grade in grades],
                supplier_id=store.lot.supplier_id, on=TODAY, by=makers.SOMEBODY, now=NOON,
            )  # fmt: skip

    sort(Grade.FIRST, Grade.SECOND)
    page.open("/coop/stock/processing")
    before = count()
    sort(*Grade)
    sort(Grade.SECOND, Grade.FIRST)
    assert count() == before

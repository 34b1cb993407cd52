"""An approved loss or a finished count turns out wrong: a counter-slip of two people puts it right,
and what has gone on since cannot be put right like this."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.lots import operations as lots
from catalog.lots.models import Contribution, Lot, MoveKind, StockMove
from catalog.lots.models.papers import Adjustment, AdjustmentKind, AdjustmentState
from catalog.lots.queries.tracing import balance
from kernel.errors import Refusal
from orders.ledger.queries import balances
from orders.shares import operations as shares
from tests import makers
from tests.catalog.test_store_pages import Store
from tests.makers import NOON

LOST = {"kind": AdjustmentKind.SHRINK, "reason": "失水", "now": NOON}


@pytest.fixture
def store(db, app):
    return Store(db, app)


def lost_in_books(store):
    with store.db.reading() as session:
        return [each.yuan for each in balances(session, "expenses:loss").values()]


def test_a_wrong_loss_is_taken_back_by_a_slip_that_another_agrees_to(store):
    keeper = store.sits("keeper").open(f"/coop/lots/{store.lot.code}/work")
    keeper.press("Write off", **{"How much is lost": "2", "Reason": "看错了秤", "kind": "shrink"})
    keeper.sees("written off")
    before, [loss] = lost_in_books(store), store.rows(Adjustment)
    assert store.on_hand() == [118_800, 79_200]

    keeper.press("Write the counter-slip", status=422, **{"What is wrong with it": ""})
    keeper.sees("Say why.")
    keeper.press("Write the counter-slip", **{"What is wrong with it": "货还在"})
    keeper.sees("waits for a second person", "You wrote or counted this yourself", loss.number)
    assert store.on_hand() == [118_800, 79_200]
    _, counter = store.rows(Adjustment)
    assert (counter.quantity, counter.reverses_id) == (2_000, loss.id)

    store.sits("accountant").open(f"/coop/stock/losses/{counter.number}").press("I agree")
    assert store.on_hand() == [120_000, 80_000]
    assert before != ["0.00"]
    assert lost_in_books(store) == ["0.00"]
    page = store.sits("second").open(f"/coop/stock/losses/{loss.number}")
    page.sees("Taken back by", counter.number).does_not_see("Write the counter-slip")
    store.agrees()


def test_a_count_is_taken_back_whole_with_what_nobody_had_brought(store):
    with store.db.transaction() as session:
        keepers = [makers.storekeeper(session, store.supplier_in(session)) for _ in range(3)]
        begun = lots.begin_count(session, store.supplier.id, store_id=None, by=keepers[0], now=NOON)
        for who in keepers[:2]:
            lots.enter_count(
                session, begun.number, store.lot.id, 203_000, supplier_id=store.supplier.id,
                by=who, now=NOON,
            )  # fmt: skip
        [found] = lots.finish_count(
            session, begun.number, supplier_id=store.supplier.id, by=keepers[0], now=NOON
        )
        number, slip_id = begun.number, found.id
    page = store.sits("keeper").open(f"/coop/stock/counts/{number}").sees("What came of it")
    page.does_not_see("Write the counter-slips")  # nothing has moved yet
    with store.db.transaction() as session, pytest.raises(Refusal) as waits:
        lots.take_back_count(
            session, number, supplier_id=store.supplier.id, reason="数错", by=keepers[2], now=NOON
        )
    assert "waits for a decision" in str(waits.value.reasons[0])
    with store.db.transaction() as session:
        shares.decide_slip(
            session, slip_id, supplier_id=store.supplier.id, agreed=True, by=keepers[2], now=NOON
        )
    assert store.on_hand() == [120_000, 80_000, 3_000]

    page.open(f"/coop/stock/counts/{number}")
    page.press("Write the counter-slips", **{"What is wrong with it": "把空筐也称了"})
    page.sees("1 counter-slip waits").does_not_see("Write the counter-slips")
    _, counter = store.rows(Adjustment)
    store.sits("second").open(f"/coop/stock/losses/{counter.number}").press("I agree")
    assert store.on_hand() == [120_000, 80_000, 0]
    own = store.rows(Contribution)[2]
    assert own.reversed_at is not None
    last = store.rows(StockMove)[-1]
    assert (last.kind, last.quantity) == (MoveKind.COUNT_SURPLUS, -3_000)
    with store.db.reading() as session:
        found = balance(session, store.lot.id)
        assert (found.counted, found.lost, found.difference) == (0, 0, 0)
    store.agrees()


def test_what_has_gone_on_since_cannot_be_taken_back(session):
    product = makers.sold_product(session, (100_000,))
    [lot] = session.scalars(sa.select(Lot)).all()
    [part] = session.scalars(sa.select(Contribution)).all()
    first, second = (makers.storekeeper(session, lot.supplier) for _ in range(2))
    mine = {"supplier_id": product.supplier_id}
    loss = shares.report_loss(session, lot.id, 1_000, **mine, **LOST, by=first)
    again = {**mine, "reason": "错了", "by": first, "now": NOON}
    # A later count finds what was written off.
    found = lots.propose_adjustment(
        session, lot.id, 1_000, kind=AdjustmentKind.COUNT, reason="盘点", **mine, by=first, now=NOON
    )
    shares.decide_slip(session, found.id, agreed=True, **mine, by=second, now=NOON)
    with pytest.raises(Refusal) as twice:
        lots.take_back_adjustment(session, loss.number, **again)
    assert "found again by a count" in str(twice.value.reasons[0])
    # What the count found is promised to somebody.
    lots.reserve(session, [(part.id, 99_500)])
    with pytest.raises(Refusal) as promised:
        lots.take_back_adjustment(session, found.number, **again)
    assert "spoken for" in str(promised.value.reasons[0])
    lots.release(session, [(part.id, 99_500)])
    counter = lots.take_back_adjustment(session, found.number, **again)
    assert lots.take_back_adjustment(session, found.number, **again) is counter
    with pytest.raises(Refusal, match="somebody else must decide"):
        shares.decide_slip(session, counter.id, agreed=True, **mine, by=first, now=NOON)
    shares.decide_slip(session, counter.id, agreed=False, words="没错", **mine, by=second, now=NOON)
    assert (counter.state, part.on_hand) == (AdjustmentState.REFUSED, 100_000)
    pending = lots.propose_adjustment(
        session, lot.id, -500, kind=AdjustmentKind.SHRINK, reason="失水", **mine, by=first, now=NOON
    )
    with pytest.raises(Refusal, match="Nobody has agreed"):
        lots.take_back_adjustment(session, pending.number, **again)

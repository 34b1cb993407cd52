"""A store lives through anything in any order: moves replay to what lies there, nothing is sold
twice, mass balances, and every fen of cost is somewhere (R7, R9)."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog.lots import operations as lots
from catalog.lots.checks import CHECKS
from catalog.lots.models import (
    Contribution,
    Lot,
    LotState,
    Processing,
    SlipState,
    StepKind,
    WeighSlip,
)
from catalog.lots.models.papers import (
    Adjustment,
    AdjustmentKind,
    AdjustmentState,
    StoreTransfer,
)
from catalog.lots.queries.tracing import balance
from catalog.products.models import Grade
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.db import Database
from kernel.errors import Refusal
from orders.ledger.queries import balances
from orders.payouts import operations as payouts
from orders.payouts.checks import CHECKS as PAYOUT_CHECKS
from orders.shares import operations as shares
from orders.shares.checks import CHECKS as SHARES_CHECKS
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY

SOME = st.integers(1, 40_000)
PICK = st.integers(0, 30)


class StoreLife(RuleBasedStateMachine):
    """One cooperative, two products, three keepers; every step is refused or done whole."""

    template: Path

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "life.db"
        path.write_bytes(self.template.read_bytes())
        self.db = Database(f"sqlite:///{path}")
        self.session = self.db.writing()
        session = self.session
        self.fresh = makers.sold_product(session, ())
        supplier = session.get(Supplier, self.fresh.supplier_id)
        self.dried = makers.sold_product(session, (), of=supplier, fresh=False)
        self.supplier_id = supplier.id
        self.keepers = [makers.storekeeper(session, supplier) for _ in range(3)]
        self.homes = [makers.household(session, name) for name in ("张三", "李四", "王五")]
        self.cellar = lots.open_store(
            session, supplier.id, name="地窖", by=self.keepers[0], now=NOON
        )
        self.now = NOON
        self.reserved: dict[int, int] = {}
        self.shipped: dict[int, int] = {}
        self.losses = 0
        self.steps = 0
        makers.stock(session, self.fresh, (33_333, 50_001), households_=self.homes[:2])
        session.commit()

    def teardown(self):
        if hasattr(self, "session"):
            for check in (*CHECKS, *SHARES_CHECKS, *PAYOUT_CHECKS):
                if check.name != "sales.reserved":
                    found = [f"{check.name} {each.subject}" for each in check.run(self.session)]
                    assert found == []
            self.session.close()
            self.db.dispose()
            self.folder.cleanup()

    def does(self, who=0):
        self.steps += 1
        self.now += timedelta(minutes=1)
        return {"by": self.keepers[who % 3], "now": self.now}

    def trying(self):
        """Whatever is refused has changed nothing."""
        return _Whole(self.session)

    def one(self, model, pick, *conditions):
        found = self.session.scalars(sa.select(model).where(*conditions).order_by(model.id)).all()
        return found[pick % len(found)] if found else None

    @rule(pick=PICK, net=SOME)
    def receive(self, pick, net):
        with self.trying():
            self.now += timedelta(minutes=1)
            makers.stock(
                self.session, self.fresh, (net,), at=NOON, households_=[self.homes[pick % 3]]
            )

    @rule(pick=PICK, quantity=SOME)
    def reserve(self, pick, quantity):
        part = self.one(Contribution, pick, Contribution.on_hand > Contribution.reserved)
        if part is None:
            return
        quantity = min(quantity, part.on_hand - part.reserved)
        with self.trying():
            lots.reserve(self.session, [(part.id, quantity)])
            self.reserved[part.id] = self.reserved.get(part.id, 0) + quantity

    @rule(pick=PICK, ship=st.booleans())
    def release_or_ship(self, pick, ship):
        part = self.one(Contribution, pick, Contribution.reserved > 0)
        if part is None:
            return
        quantity = max(1, part.reserved // 2)
        with self.trying():
            if ship:
                did = self.does()
                lots.ship_out(
                    self.session, [(part.id, quantity)], cause_prefix=f"ship:{self.steps}", **did
                )
                self.shipped[part.id] = self.shipped.get(part.id, 0) + quantity
            else:
                lots.release(self.session, [(part.id, quantity)])
            self.reserved[part.id] -= quantity

    @rule(pick=PICK, quantity=SOME, other=PICK)
    def lose(self, pick, quantity, other):
        lot = self.one(Lot, pick)
        with self.trying():
            slip = shares.report_loss(
                self.session, lot.id, quantity, supplier_id=self.supplier_id,
                kind=AdjustmentKind.SHRINK, reason="失水", **self.does(other),
            )  # fmt: skip
            assert slip.state is not AdjustmentState.REFUSED

    @rule(pick=PICK, who=PICK, agreed=st.booleans())
    def decide(self, pick, who, agreed):
        slip = self.one(Adjustment, pick, Adjustment.state == AdjustmentState.PROPOSED)
        if slip is None:
            return
        with self.trying():
            shares.decide_slip(
                self.session, slip.id, supplier_id=self.supplier_id, agreed=agreed,
                words="看过", **self.does(who),
            )  # fmt: skip

    @rule(pick=PICK, quantity=SOME, rate=st.integers(1, 100))
    def dry(self, pick, quantity, rate):
        lot = self.one(Lot, pick)
        with self.trying():
            lots.process_lot(
                self.session, supplier_id=self.supplier_id, inputs={lot.id: quantity},
                output_product_id=self.dried.id, output_grade=Grade.MIXED,
                output_quantity=max(1, quantity * rate // 100), kind=StepKind.DRY, on=TODAY,
                best_before=TODAY + timedelta(days=300), **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, quantity=SOME)
    def split(self, pick, quantity):
        lot = self.one(Lot, pick)
        with self.trying():
            lots.split_lot(
                self.session, lot.id, quantity, supplier_id=self.supplier_id, reason="另装",
                **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, quantity=SOME, home=st.booleans())
    def send(self, pick, quantity, home):
        lot = self.one(Lot, pick)
        with self.trying():
            lots.send_to_store(
                self.session, lot.id, quantity, supplier_id=self.supplier_id,
                to_store_id=None if home else self.cellar.id, **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, short=st.integers(0, 3_000), who=PICK)
    def arrive(self, pick, short, who):
        transfer = self.one(StoreTransfer, pick, StoreTransfer.arrived.is_(None))
        if transfer is None:
            return
        sent = self.session.get(Processing, transfer.processing_id).output_quantity
        with self.trying():
            lots.receive_transfer(
                self.session, transfer.id, max(0, sent - short), supplier_id=self.supplier_id,
                reason="路上磕碰", **self.does(who),
            )  # fmt: skip

    @rule(pick=PICK)
    def undo(self, pick):
        made = self.one(Processing, pick)
        if made is None:
            return
        with self.trying():
            lots.undo_step(
                self.session, made.number, supplier_id=self.supplier_id, reason="写错了",
                **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, first=st.integers(1, 20_000), second=st.integers(0, 20_000), waste=PICK)
    def sort(self, pick, first, second, waste):
        lot = self.one(Lot, pick)
        outputs = [
            lots.Sorted(grade, quantity)
            for grade, quantity in ((Grade.FIRST, first), (Grade.SECOND, second))
            if quantity
        ]
        with self.trying():
            lots.sort_lot(
                self.session, lot.id, first + second + waste, outputs,
                supplier_id=self.supplier_id, waste=waste, on=TODAY, **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, who=PICK, agreed=st.booleans())
    def reverse(self, pick, who, agreed):
        slip = self.one(WeighSlip, pick, WeighSlip.state != SlipState.REVERSED)
        if slip is None:
            return
        with self.trying():
            payouts.propose_slip_reversal(
                self.session, slip.number, supplier_id=self.supplier_id, reason="称错了户",
                **self.does(),
            )  # fmt: skip
        with self.trying():
            payouts.decide_slip_reversal(
                self.session, slip.number, supplier_id=self.supplier_id, agreed=agreed,
                words="看过", **self.does(who),
            )  # fmt: skip

    @rule(pick=PICK)
    def take_back(self, pick):
        slip = self.one(Adjustment, pick)
        if slip is None:
            return
        with self.trying():
            lots.take_back_adjustment(
                self.session, slip.number, supplier_id=self.supplier_id, reason="写错了",
                **self.does(),
            )  # fmt: skip

    @rule(pick=PICK, verb=st.sampled_from(["hold_lot", "recall_lot", "release_lot", "set_apart"]))
    def mark(self, pick, verb):
        lot = self.one(Lot, pick)
        with self.trying():
            getattr(lots, verb)(self.session, lot.id, reason="复检", **self.does())

    @rule(off=st.integers(-500, 500), pick=PICK, cellar=st.booleans())
    def count(self, off, pick, cellar):
        """Two count; of one lot both find the same difference."""
        with self.trying():
            count = lots.begin_count(
                self.session, self.supplier_id, store_id=self.cellar.id if cellar else None,
                **self.does(),
            )  # fmt: skip
            found = self.session.execute(
                sa.select(Lot.id, sa.func.sum(Contribution.on_hand))
                .join(Contribution, Contribution.lot_id == Lot.id)
                .where(
                    Lot.store_id == count.store_id,
                    Lot.state.not_in((LotState.CLOSED, LotState.IN_TRANSIT)),
                    Contribution.on_hand > 0,
                )
                .group_by(Lot.id)
                .order_by(Lot.id)
            ).all()
            for who in (0, 1):
                for index, (lot_id, there) in enumerate(found):
                    wrong = off if index == pick % len(found) else 0
                    lots.enter_count(
                        self.session, count.number, lot_id, max(0, int(there) + wrong),
                        supplier_id=self.supplier_id, **self.does(who),
                    )  # fmt: skip
            lots.finish_count(
                self.session, count.number, supplier_id=self.supplier_id, **self.does()
            )

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def nothing_is_sold_twice_and_every_fen_is_somewhere(self):
        session = self.session
        for part in session.scalars(sa.select(Contribution)):
            assert 0 <= part.reserved <= part.on_hand <= part.quantity
            assert part.reserved == self.reserved.get(part.id, 0)
            assert not (part.reversed_at and part.on_hand)
        for lot in session.scalars(sa.select(Lot)):
            assert balance(session, lot.id).difference == 0
        assert sum(each.fen for each in balances(session, "clearing").values()) == 0


class _Whole:
    """A step is done whole, or refused and not at all."""

    def __init__(self, session):
        self.session = session

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            audit.note(self.session, "live", "test", by=SOMEBODY, now=NOON)
            self.session.commit()
            return False
        self.session.rollback()
        return issubclass(kind, Refusal)


def test_a_store_lives_through_anything_in_any_order(sqlite_template):
    StoreLife.template = Path(sqlite_template)
    run_state_machine_as_test(
        StoreLife,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            # A shorter story is not worth ten minutes of databases.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Whatever happens in whatever order, the books stay true: money is conserved to the fen."""

from __future__ import annotations

from random import Random

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel.errors import Refusal
from kernel.money import ZERO, Money
from orders.ledger import checks as ledger
from orders.ledger import rules as accounts
from orders.payouts import checks as payouts
from orders.payouts.models import FailureReason, PayoutLine, PayoutState
from orders.payouts.operations import fail_line
from orders.shares import checks as shares
from orders.shares.models import BenefitModel
from orders.shares.operations import (
    SettledLine,
    Slice,
    reverse_line,
    settle_lines,
    write_off,
)
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.orders.payouts.test_runs import Coop

CHECKS = [*ledger.CHECKS, *shares.CHECKS, *payouts.CHECKS]


class History:
    """A cooperative to which things happen by chance, always through its operations."""

    def __init__(self, session, seed: int) -> None:
        self.chance = Random(seed)
        self.session = session
        self.coop = Coop(session)
        self.products = [
            (
                each,
                makers.rule(session, each, model=model, retained_bp=self.chance.choice((0, 3333))),
            )
            for model in BenefitModel
            for each in [makers.product(session, self.coop.supplier)]
        ]
        self.homes = [self.coop.zhang, self.coop.li]
        self.left: dict[int, int] = {}
        self.settled: dict[str, Money] = {}
        self.done = 0

    def bring(self) -> None:
        product, _ = self.chance.choice(self.products)
        goods = makers.bought(
            self.session, product, self.chance.choice(self.homes),
            net_g=self.chance.randint(1_000, 90_001),
        )  # fmt: skip
        self.left[goods.id] = goods.quantity

    def sell(self) -> None:
        product, rule = self.chance.choice(self.products)
        mine = self.session.scalars(
            sa.select(Contribution.id).where(Contribution.product_id == product.id)
        )
        slices = []
        for key in mine:
            consumed = self.chance.randint(0, self.left.get(key, 0))
            if consumed:
                self.left[key] -= consumed
                slices.append(Slice(key, consumed, self.chance.randint(0, consumed)))
        amount = Money(self.chance.randint(0, 90_000)) if slices else ZERO
        if not slices:
            return
        self.done += 1
        # Goods that are sold have left the store by then.
        for each in slices:
            self.session.execute(
                sa.update(Contribution)
                .where(Contribution.id == each.contribution_id)
                .values(on_hand=Contribution.on_hand - each.consumed)
            )
        line = SettledLine(
            subject=f"acceptance_line:{self.done}", line_key=f"line:{self.done}",
            order_key=f"order:{self.done}", supplier_id=self.coop.supplier.id,
            product_id=product.id, rule_id=rule.id, amount=amount, slices=slices,
            debit_code=accounts.receivable(self.coop.supplier.code, 7),
            citizen=self.chance.random() < 0.5, on=TODAY,
        )  # fmt: skip
        settle_lines(self.session, [line], by=SOMEBODY, now=NOON)
        self.settled[line.line_key] = amount

    def refund(self) -> None:
        open_ = [key for key, amount in self.settled.items() if amount]
        if not open_:
            return
        key = self.chance.choice(open_)
        amount = Money(self.chance.randint(1, self.settled[key].fen))
        self.done += 1
        reverse_line(
            self.session, subject=f"refund_line:{self.done}", of_line=key, amount=amount,
            quantity=0, credit_code=accounts.receivable(self.coop.supplier.code, 7), on=TODAY,
            by=SOMEBODY, now=NOON,
        )  # fmt: skip
        self.settled[key] -= amount

    def spoil(self) -> None:
        there = [key for key, quantity in self.left.items() if quantity]
        if not there:
            return
        key = self.chance.choice(there)
        quantity = self.chance.randint(1, self.left[key])
        self.done += 1
        write_off(self.session, key, quantity, cause=f"spoiled:{self.done}", by=SOMEBODY, now=NOON)
        self.left[key] -= quantity

    def pay(self) -> None:
        self.done += 1
        try:
            run = self.coop.exported(f"draft:{self.done}")
        except Refusal:
            return
        for line in self.coop.lines(run):
            if self.chance.random() < 0.7:
                self.done += 1
                self.coop.bank_says((f"-{line.amount.yuan}", line.reference), sha=str(self.done))
        self.coop.confirm()

    def fail(self) -> None:
        sent = self.session.scalars(
            sa.select(PayoutLine.id).where(PayoutLine.state == PayoutState.SENT)
        ).all()
        if sent:
            fail_line(
                self.session, self.chance.choice(sent), reason=FailureReason.OTHER,
                by=self.coop.accountant, **self.coop.mine,
            )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_the_books_stay_true_through_any_history(session, seed):
    history = History(session, seed)
    acts = [history.bring, history.sell, history.sell, history.refund, history.spoil,
            history.pay, history.fail]  # fmt: skip
    for _ in range(60):
        history.chance.choice(acts)()
    session.expire_all()

    found = {check.name: [str(each.sentence) for each in check.run(session)] for check in CHECKS}

    assert {name: each for name, each in found.items() if each} == {}

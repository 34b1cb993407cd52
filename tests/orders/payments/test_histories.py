"""Whatever buyers, cooperatives and the platform do in whatever order: money, goods and shares are
conserved to the fen and the gram."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution, MoveKind, StockMove
from kernel.errors import Invalid, Refusal
from kernel.money import ZERO, Money, Price, total
from kernel.quantities import BaseUnit
from orders.ledger import checks as ledger
from orders.ledger.queries import balances, trial_balance
from orders.payments import checks as payments_checks
from orders.payments import operations as payments
from orders.payments.models import UNDECIDED, Payment, PaymentState, Refund, RefundKind, RefundState
from orders.payments.models.after import ReturnParcel, ReturnState
from orders.payments.queries.after import any_refund
from orders.payments.rules.refunds import (
    Gone,
    LineFacts,
    accepted_parts,
    amount_for,
    free_of_claim,
    from_the_end,
)
from orders.sales import checks as sales_checks
from orders.sales import operations as sales
from orders.sales.models import Allocation, Order, OrderLine, OrderState
from orders.sales.queries import order_sheet
from orders.shares import checks as shares_checks
from orders.shares.models import BenefitModel, SplitPart
from orders.shares.rules.split import CostTerm, Piece, Terms, split_line
from tests import makers

CHECKS = [
    *ledger.CHECKS, *shares_checks.CHECKS, *sales_checks.CHECKS, *payments_checks.CHECKS,
]  # fmt: skip
CLAIMS = (RefundKind.DAMAGED, RefundKind.SHORT_WEIGHT, RefundKind.QUALITY, RefundKind.UNOPENED)


class Shop:
    """Orders to which things happen by chance, always through the operations of the house. What
    the house refuses is refused; nothing else may go wrong."""

    def __init__(self, session, seed: int) -> None:
        self.session, self.chance = session, Random(seed)
        self.now, self.serial, self.steps = makers.NOON, 0, 0
        first = makers.sold_product(
            session, (90_001, 70_003), model=BenefitModel.FLOOR_AND_REBATE, fresh=False
        )
        self.goods = [
            first,
            makers.sold_product(
                session, (60_000, 80_007, 33_333), model=BenefitModel.BUY_OUT, fresh=False
            ),
        ]
        makers.freight(session, first.supplier_id)
        session.flush()

    def step(self) -> None:
        acts = [
            self.buy, self.buy, self.ship, self.ship, self.receive, self.complete, self.cancel,
            self.take_off, self.ask, self.ask, self.answer, self.answer, self.buyer_says,
            self.decide, self.send_back, self.inspect, self.inspect, self.provider_says,
        ]  # fmt: skip
        self.now += timedelta(hours=self.chance.randint(1, 12))
        self.steps += 1
        # Not a savepoint: a refusal comes before anything is written.
        try:
            self.chance.choice(acts)()
        except (Refusal, Invalid):
            self.session.flush()

    @property
    def did(self):
        return {"by": makers.SOMEBODY, "now": self.now}

    def key(self) -> str:
        self.serial += 1
        return f"k{self.serial}"

    def buy(self) -> None:
        makers.paid_order(
            self.session, self.chance.choice(self.goods), self.chance.randint(1, 4), now=self.now
        )

    def any_order(self, *states: OrderState) -> Order | None:
        found = self.session.scalars(
            sa.select(Order.id).where(Order.state.in_(states)).order_by(Order.id)
        ).all()
        if not found:
            return None
        self.session.expire_all()
        return order_sheet(self.session, self.chance.choice(found))

    def any_refund(self, *states: RefundState) -> Refund | None:
        found = self.session.scalars(
            sa.select(Refund).where(Refund.state.in_(states)).order_by(Refund.id)
        ).all()
        return self.chance.choice(found) if found else None

    def ship(self) -> None:
        order = self.any_order(OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED)
        if order is None:
            return
        [line] = order.lines
        open_ = sum(each.open for each in line.allocations)
        some = self.chance.randint(1, open_) if self.chance.random() < 0.4 else open_
        sales.ship_order(
            self.session, order.id, supplier_id=line.supplier_id, lines={line.id: some},
            request_key=self.key(), **self.did,
        )  # fmt: skip

    def receive(self) -> None:
        if order := self.any_order(OrderState.SHIPPED):
            payments.receive_citizen_order(self.session, order.id, **self.did)

    def complete(self) -> None:
        if order := self.any_order(OrderState.SHIPPED, OrderState.RECEIVED):
            payments.complete_citizen_order(self.session, order.id, **self.did)

    def cancel(self) -> None:
        if self.chance.random() < 0.3 and (order := self.any_order(OrderState.TO_SHIP)):
            payments.cancel_citizen_order(self.session, order.id, reason="mind", **self.did)

    def take_off(self) -> None:
        order = self.any_order(OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED)
        if order is not None:
            [line] = order.lines
            some = {line.id: self.chance.randint(1, line.quantity)}
            payments.cancel_lines(self.session, order.id, some, request_key=self.key(), **self.did)

    def ask(self) -> None:
        order = self.any_order(
            OrderState.PARTLY_SHIPPED, OrderState.SHIPPED, OrderState.RECEIVED, OrderState.COMPLETED
        )
        if order is None:
            return
        [line] = order.lines
        sent = sum(each.shipped for each in line.allocations)
        payments.refund_order_lines(
            self.session, order.id, {line.id: self.chance.randint(1, sent)},
            kind=self.chance.choice(CLAIMS), request_key=self.key(), approved=False, **self.did,
        )  # fmt: skip

    def answer(self) -> None:
        refund = self.any_refund(RefundState.REQUESTED)
        if refund is None:
            return
        act = self.chance.choice(("approve", "decline", "offer", "goods"))
        if act == "approve":
            payments.approve_refund(self.session, refund.id, **self.did)
        elif act == "decline":
            payments.decline_refund(self.session, refund.id, answer="no", **self.did)
        elif act == "goods":
            payments.ask_goods_back(self.session, refund.id, answer="show", **self.did)
        else:
            part = Money(self.chance.randint(0, refund.amount.fen))
            payments.offer_refund(self.session, refund.id, part, answer="part", **self.did)

    def buyer_says(self) -> None:
        refund = self.any_refund(RefundState.OFFERED, RefundState.DECLINED, RefundState.REQUESTED)
        if refund is None:
            return
        act = self.chance.choice(("accept", "escalate", "withdraw"))
        if act == "accept":
            payments.accept_offer(self.session, refund.id, **self.did)
        elif act == "escalate":
            payments.escalate_refund(self.session, refund.id, words="no", **self.did)
        elif refund.state is not RefundState.DECLINED:
            payments.withdraw_refund(self.session, refund.id, **self.did)

    def decide(self) -> None:
        if refund := self.any_refund(RefundState.ESCALATED):
            part = Money(self.chance.choice((0, refund.amount.fen // 3, refund.amount.fen)))
            payments.decide_refund(self.session, refund.id, part, answer="so", **self.did)

    def send_back(self) -> None:
        if parcel := self.any_parcel(ReturnState.TO_SEND, ReturnState.UNDER_WAY):
            if parcel.state is ReturnState.TO_SEND:
                payments.send_return(
                    self.session, parcel.refund_id, carrier="顺丰", tracking="SF123456", **self.did
                )
            payments.receive_return(self.session, parcel.refund_id, **self.did)

    def inspect(self) -> None:
        parcel = self.any_parcel(ReturnState.ARRIVED)
        if parcel is None:
            return
        refund = any_refund(self.session, parcel.refund_id)
        found = {}
        for part in refund.lines:
            taken = self.chance.choice((0, self.chance.randint(0, part.quantity), part.quantity))
            spoiled = self.chance.choice((0, self.chance.randint(0, taken), taken))
            found[part.id] = payments.Found(taken - spoiled, spoiled)
        payments.inspect_return(self.session, refund.id, found, remark="as found", **self.did)

    def any_parcel(self, *states: ReturnState) -> ReturnParcel | None:
        found = self.session.scalars(
            sa.select(ReturnParcel).where(ReturnParcel.state.in_(states)).order_by(ReturnParcel.id)
        ).all()
        return self.chance.choice(found) if found else None

    def provider_says(self) -> None:
        refund = self.any_refund(RefundState.APPROVED, RefundState.SENT, RefundState.FAILED)
        if refund is not None:
            status = self.chance.choice(("pending", "failed", "succeeded", "succeeded"))
            payments.record_refund(
                self.session, refund.id, provider_id=f"re_{refund.id}", status=status, **self.did
            )

    def is_conserved(self) -> None:
        """Against sums of our own, and against every check of the house."""
        self.session.flush()
        self.session.expire_all()
        s = self.session
        received = money(s, sa.select(sa.func.sum(Payment.received)).where(
            Payment.state == PaymentState.PAID))  # fmt: skip
        given = money(s, sa.select(sa.func.sum(Refund.amount)).where(
            Refund.state.in_((RefundState.APPROVED, RefundState.SENT, RefundState.DONE,
                              RefundState.FAILED))))  # fmt: skip
        parts = money(s, sa.select(sa.func.sum(SplitPart.amount)))
        held = balances(s, "liabilities:prepaid:")
        carried = balances(s, "liabilities:costs:freight:")
        assert received - given == total(held.values()) + parts + total(carried.values())
        kept, here = s.execute(
            sa.select(sa.func.sum(Contribution.quantity), sa.func.sum(Contribution.on_hand))
        ).one()
        moved = {
            kind: -int(quantity)
            for kind, quantity in s.execute(
                sa.select(StockMove.kind, sa.func.sum(StockMove.quantity)).group_by(StockMove.kind)
            )
        }
        away = moved.get(MoveKind.SHIPPED, 0) + moved.get(MoveKind.RETURNED, 0)
        assert kept == here + away + moved.get(MoveKind.SPOILED, 0)
        sent = s.scalar(sa.select(sa.func.coalesce(sa.func.sum(Allocation.shipped), 0)))
        assert sent == moved.get(MoveKind.SHIPPED, 0)
        trial = trial_balance(s)
        assert trial.debited == trial.credited
        wrong = {each.name: [str(d.sentence) for d in each.run(s)] for each in CHECKS}
        assert {name: each for name, each in wrong.items() if each} == {}


def money(session, query) -> Money:
    found = session.scalar(query)
    return found if isinstance(found, Money) else Money(int(found or 0))


@pytest.mark.parametrize("seed", range(3))
def test_through_any_history_money_goods_and_shares_are_conserved(session, seed):
    shop = Shop(session, seed)
    for n in range(150):
        shop.step()
        if n % 50 == 49:
            shop.is_conserved()
    assert session.scalar(sa.select(sa.func.count(Refund.id))) > 10
    assert session.scalar(
        sa.select(sa.func.count(Refund.id)).where(Refund.state.in_(UNDECIDED))
    ) < session.scalar(sa.select(sa.func.count(Refund.id)))


def test_ten_thousand_lines_of_the_pure_rules_end_where_they_must():
    """The arithmetic alone: parts taken off, claims in full and in part, goods that come back."""
    chance, acts = Random(4), 0
    terms = Terms(
        "floor_and_rebate", 3000,
        (CostTerm("packaging", per_unit=Price(2_000)), CostTerm("payment_fee", share_bp=60)),
    )  # fmt: skip
    for _ in range(10_000):
        line = pure_line(chance)
        acts += line.acts
        taken = accepted_parts(
            [out for out in line.out if out], line.sent_back - sum(line.returned)
        )
        assert sum(taken) == sum(line.out) - (line.sent_back - sum(line.returned))
        pieces = [
            Piece(n, n, out, kept, Money(out * 3 // 100))
            for n, (out, kept) in enumerate(
                zip([out for out in line.out if out], taken, strict=True), 1
            )
        ]
        left = Money(line.fen - line.gone.fen)
        if pieces:
            parts = split_line(terms, left, BaseUnit.GRAM, pieces, citizen=True)
            assert total(part.amount for part in parts) == left
        else:
            assert left == ZERO or line.settled_for_less
        assert line.in_store + sum(line.out) == line.quantity
        assert 0 <= line.gone.fen <= line.fen
    assert acts > 30_000


class pure_line:  # noqa: N801  a plain value that lives through its story when it is made
    """One order line from placement to its last claim, by the rules alone."""

    def __init__(self, chance: Random) -> None:
        self.quantity, self.fen = chance.randint(2, 40_000), chance.randint(1, 90_000)
        first = chance.randint(1, self.quantity - 1)
        self.out, self.open = [0, 0], [first, self.quantity - first]
        self.gone, self.sent_back, self.acts = Gone(), 0, 0
        self.in_store, self.returned, self.settled_for_less = self.quantity, [0, 0], False
        for _ in range(chance.randint(2, 7)):
            self.acts += 1
            chance.choice((self.send, self.cancel, self.claim, self.bring_back))(chance)
        self.send_rest()

    def send(self, chance: Random) -> None:
        for n, left in enumerate(self.open):
            some = chance.randint(0, left)
            self._leave(n, some)

    def send_rest(self) -> None:
        self.acts += 1
        for n, left in enumerate(self.open):
            self._leave(n, left)

    def _leave(self, n: int, some: int) -> None:
        self.open[n] -= some
        self.out[n] += some
        self.in_store -= some

    def cancel(self, chance: Random) -> None:
        if unsent := sum(self.open):
            some = chance.randint(1, unsent)
            free = free_of_claim(some, sent=sum(self.out), sent_back=0, unsent=unsent, cancels=True)
            assert free == some
            self._refund(some, 1, 1)
            for n, back in enumerate(from_the_end(self.open, free)):
                self.open[n] -= back

    def claim(self, chance: Random) -> None:
        sent = sum(self.out) + sum(self.returned)
        if left := sent - self.sent_back:
            some = chance.randint(1, left)
            free = free_of_claim(
                some, sent=sent, sent_back=self.sent_back, unsent=sum(self.open), cancels=False
            )
            assert free == 0
            self._refund(some, chance.choice((1, 1, 2)), 2 if chance.random() < 0.5 else 1)
            self.sent_back += some

    def bring_back(self, chance: Random) -> None:
        sent = sum(self.out) + sum(self.returned)
        if left := min(sent - self.sent_back, sum(self.out)):
            some = chance.randint(1, left)
            for n, back in enumerate(from_the_end(self.out, some)):
                self.out[n] -= back
                self.returned[n] += back
                self.in_store += back
            self._refund(some, 1, 1)
            self.sent_back += some

    def _refund(self, some: int, part: int, of: int) -> None:
        fen = amount_for(LineFacts(self.quantity, self.fen, self.gone), some)
        given = fen if part >= of else fen * part // of
        self.settled_for_less = self.settled_for_less or given < fen
        self.gone = Gone(self.gone.quantity + some, self.gone.fen + given)


def test_nobody_takes_more_than_was_paid_even_behind_the_house(session):
    order = makers.paid_order(session, count=2)
    line = order.lines[0].id
    sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, request_key="s", by=makers.SOMEBODY,
        now=makers.NOON,
    )  # fmt: skip
    refund = payments.refund_order_lines(
        session, order.id, {line: 10_000}, kind=RefundKind.QUALITY, request_key="r",
        by=makers.SOMEBODY, now=makers.NOON,
    )  # fmt: skip
    paid = session.scalar(sa.select(OrderLine.amount).where(OrderLine.id == line))
    assert refund.amount == paid
    for statement in (
        "UPDATE refund_lines SET amount = amount + 1",
        "UPDATE refunds SET amount = amount + 1",
        "INSERT INTO refund_lines (refund_id, line_id, quantity, amount) "
        f"VALUES ({refund.id}, {line}, 0, 1)",
    ):
        with (
            pytest.raises(sa.exc.IntegrityError, match="no more goes back"),
            session.begin_nested(),
        ):
            session.execute(sa.text(statement))
    assert session.scalar(sa.select(sa.func.sum(Refund.amount))) == paid

"""Whatever happens to orders, the movements say what a fresh count of the orders says."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.db import sum_money
from kernel.errors import Refusal
from kernel.money import ZERO, Money
from orders.agencies import operations
from orders.agencies.checks import CHECKS, recount
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    BulkOrder,
    Disposition,
    Invoice,
    QuotaMonth,
    QuotaMovement,
    Stage,
    YearRule,
)
from orders.agencies.operations import CreditLine
from orders.agencies.queries.bulk import accepted_of, line_sums, paid_of
from orders.agencies.rules.counting import CountingPolicy, History, figures, moves
from orders.sales.models import Order, OrderState, Shipment
from tests.orders.agencies import canteens


def differences(session):
    return [
        f"{check.name} {found.subject}: {found.sentence}"
        for check in CHECKS
        for found in check.run(session)
    ]


def movements(session):
    rows = session.execute(
        sa.select(
            QuotaMovement.unit_id,
            QuotaMovement.year,
            QuotaMovement.basis,
            sum_money(QuotaMovement.amount),
        ).group_by(QuotaMovement.unit_id, QuotaMovement.year, QuotaMovement.basis)
    )
    return {(unit, year, basis.value): amount for unit, year, basis, amount in rows if amount}


# --- a thousand histories of the rule alone ------------------------------------------------------

EVENTS = ("accept", "pay", "review", "refund", "drop")


@dataclass
class Counter:
    """Signed rows as the operation writes them: the difference to what was written before."""

    policy: CountingPolicy
    rows: list

    def bring_up(self, history):
        said = {}
        for key, amount in self.rows:
            said[key] = said.get(key, ZERO) + amount
        said = {key: amount for key, amount in said.items() if amount}
        self.rows += list(moves(said, figures(history, self.policy)).items())


def by_hand(history, policy):
    """The definition of domain.md §1.6, written without looking at the rule."""
    if history.dropped:
        return {}
    goods = history.goods if history.accepted_on is None else history.accepted - history.refunded
    worth = goods.fen + (history.freight.fen if policy.freight_counts and goods.fen > 0 else 0)
    if not worth:
        return {}
    settled = bool(history.accepted_on and history.paid_on)
    counted = (
        settled
        and history.channel in policy.countable_channels
        and bool(history.reviewed_on or not policy.needs_review)
    )
    last = history.ordered_on
    if settled and policy.by_completion:
        days = [history.accepted_on, history.paid_on]
        last = max(days + ([history.reviewed_on] if counted and policy.needs_review else []))
    reached = ["ordered"] + ["settled"] * settled + ["counted"] * counted
    return {(basis, last.year): Money(worth) for basis in reached}


@settings(max_examples=1000, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    needs_review=st.booleans(),
    by_completion=st.booleans(),
    freight_counts=st.booleans(),
    channel=st.sampled_from(["platform", "offline"]),
)
def test_a_thousand_histories_add_up_to_a_fresh_count(
    seed, needs_review, by_completion, freight_counts, channel
):
    chance = random.Random(seed)
    policy = CountingPolicy(
        needs_review=needs_review,
        countable_channels=frozenset({"platform", "national_832"}),
        by_completion=by_completion,
        freight_counts=freight_counts,
    )
    day = date(2026, 1, 1) + timedelta(days=chance.randrange(365))
    history = History(
        channel=channel,
        ordered_on=day,
        goods=Money(chance.randint(1, 10**7)),
        freight=Money(chance.choice([0, 0, 5_000])),
    )
    counter = Counter(policy, [])
    counter.bring_up(history)
    for _ in range(chance.randint(0, 8)):
        day += timedelta(days=chance.randint(0, 60))
        history = happen(history, chance.choice(EVENTS), day, chance)
        counter.bring_up(history)
        counter.bring_up(history)  # saying it twice writes nothing more
    sums = {}
    for key, amount in counter.rows:
        sums[key] = sums.get(key, ZERO) + amount
    assert {key: amount for key, amount in sums.items() if amount} == by_hand(history, policy)


def happen(history, event, day, chance):
    """One thing more happens to an order, if it can."""
    if history.dropped:
        return history
    if event == "drop" and history.accepted_on is None:
        return replace(history, dropped=True)
    if event == "accept" and history.accepted_on is None:
        accepted = Money(chance.randint(0, history.goods.fen))
        return replace(history, accepted=accepted, accepted_on=day, dropped=not accepted)
    if event == "pay" and history.accepted_on and not history.paid_on:
        return replace(history, paid_on=day)
    if event == "review" and history.paid_on and not history.reviewed_on:
        return replace(history, reviewed_on=day)
    if event == "refund" and history.paid_on:
        left = (history.accepted - history.refunded).fen
        return replace(history, refunded=history.refunded + Money(chance.randint(0, left)))
    return history


# --- random histories of real orders -------------------------------------------------------------


@pytest.mark.parametrize("year_rule", list(YearRule))
def test_random_histories_of_real_orders_recount_to_their_movements(session, year_rule):
    chance = random.Random(7)
    of = canteens.canteen(
        session, nets=(300_000, 250_000, 150_000), policies={"year_rule": year_rule}
    )
    now = datetime.fromisoformat("2026-11-23T02:00:00+00:00")
    orders: list[BulkOrder] = []
    for step in range(70):
        # Orders come in the first days, while the radish is fresh; the rest takes its time.
        now += timedelta(hours=chance.choice([1, 6]) if step < 28 else 30)
        if step < 28 and step % 2 == 0:
            orders.append(canteens.submit(session, of, kg=chance.randint(5, 30), now=now))
        for _ in range(0 if step < 6 else 2):
            go_on(session, of, chance.choice(orders), chance, now)
    assert movements(session) == recount(session)
    assert differences(session) == []
    stages = {bulk.stage for bulk in orders}
    assert len(stages) >= 4, stages
    years = {year for _, year, _ in movements(session)}
    assert years == ({2026, 2027} if year_rule is YearRule.BY_COMPLETION else {2026})


def go_on(session, of, bulk, chance, now):
    """The next thing that can happen to this order, sometimes the bad one."""
    if bulk.stage is Stage.PENDING_APPROVAL:
        if chance.random() < 0.15:
            return operations.reject_order(
                session, bulk.order_id, reason="太多", by=of.approver, now=now
            )
        return operations.approve_order(session, bulk.order_id, by=of.approver, now=now)
    if bulk.stage is Stage.TO_SIGN:
        if chance.random() < 0.15:
            return operations.cancel_order(
                session, bulk.order_id, reason="缺货", by=of.manager, now=now
            )
        return operations.sign_order(session, bulk.order_id, by=of.manager, now=now)
    if bulk.stage is Stage.IN_DELIVERY:
        return deliver(session, of, bulk, chance, now)
    if bulk.stage is Stage.TO_INVOICE:
        return canteens.invoiced(session, of, bulk, now=now)
    if bulk.stage is Stage.TO_PAY:
        left = accepted_of(session, bulk.order_id) - paid_of(session, bulk.order_id)
        part = left if chance.random() < 0.7 else Money(max(1, left.fen // 2))
        return canteens.pay(session, of, bulk, amount=part, now=now)
    if bulk.stage is Stage.TO_REVIEW:
        return operations.review_order(session, bulk.order_id, stars=4, by=of.buyer, now=now)
    if bulk.stage is Stage.DONE and chance.random() < 0.5:
        return credit(session, of, bulk, chance, now)
    return None


def deliver(session, of, bulk, chance, now):
    order = session.get(Order, bulk.order_id)
    if order.state in (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED):
        if chance.random() < 0.15:
            return operations.release_rest(
                session, bulk.order_id, reason="霜冻", by=of.manager, now=now
            )
        whole = chance.random() < 0.6
        try:
            return canteens.ship(session, of, bulk, kg=None if whole else 2, now=now)
        except Refusal:
            return None
    shipments = session.scalars(
        sa.select(Shipment)
        .outerjoin(Acceptance, Acceptance.shipment_id == Shipment.id)
        .where(Shipment.order_id == bulk.order_id, Acceptance.id.is_(None))
    ).all()
    for shipment in shipments:
        short = chance.choice([0, 0, 500])
        opened = operations.open_acceptance(session, shipment.id, by=of.receiver, now=now)
        lines = canteens.shipped_by_line(canteens.acceptance_sheet(session, opened.id))
        for line_id, shipped in lines.items():
            rejected = chance.choice([0, 0, 0, 1000, shipped - short])
            operations.record_acceptance_line(
                session,
                opened.id,
                line_id,
                weighed=shipped - short,
                rejected=min(rejected, shipped - short),
                reason=chance.choice(["rotten", "wrong_specification"]) if rejected else "",
                disposition=Disposition.RETURN if rejected else None,
                by=of.receiver,
                now=now,
            )
        operations.sign_acceptance(session, opened.id, by=of.receiver, now=now)
        operations.sign_acceptance(session, opened.id, by=of.receiver2, now=now)
    return None


def credit(session, of, bulk, chance, now):
    lines = [
        CreditLine(line_id=line_id, quantity=0, amount=Money(max(1, (amount - back).fen // 3)))
        for line_id, (_, amount, _, back) in line_sums(session, bulk.order_id).items()
        if amount > back
    ]
    if not lines:
        return None
    return operations.refund_after(
        session, bulk.order_id, lines=lines, reason="空心", request_key=f"r{of.next()}",
        by=of.accountant, now=now,
    )  # fmt: skip


# --- the checks find what they are for -----------------------------------------------------------


def test_the_checks_find_nothing_wrong_on_the_whole_road(session):
    of = canteens.canteen(session)
    canteens.filed(session, of)
    canteens.done(session, of, kg=20)
    canteens.accepted(session, of, kg=30)
    assert differences(session) == []
    assert recount(session) == movements(session)
    # No line was given back on this road: test_giving_back lives through that.
    assert {check.name for check in CHECKS if not check.rows(session)} == {"agencies.agreed"}


@pytest.mark.parametrize(
    ("break_it", "name"),
    [
        (sa.update(QuotaMonth).values(amount=Money(1)), "agencies.roll_ups"),
        (sa.update(AcceptanceLine).values(amount=Money(1)), "agencies.acceptances"),
        (sa.update(AcceptanceLine).values(weighed=1), "agencies.acceptances"),
        (sa.update(Invoice).values(amount=Money(1)), "agencies.money"),
        (sa.update(Acceptance).values(amount=Money(1)), "agencies.frozen"),
        (sa.update(BulkOrder).values(paid_on=None), "agencies.money"),
        (
            sa.insert(QuotaMovement).from_select(
                ["unit_id", "year", "basis", "purpose", "channel", "order_id", "amount", "on",
                 "cause", "made_at", "door", "program"],
                sa.select(
                    QuotaMovement.unit_id, QuotaMovement.year, QuotaMovement.basis,
                    QuotaMovement.purpose, QuotaMovement.channel, QuotaMovement.order_id,
                    QuotaMovement.amount, QuotaMovement.on, sa.literal("x:") + QuotaMovement.cause,
                    QuotaMovement.made_at, QuotaMovement.door, QuotaMovement.program,
                ),
            ),
            "agencies.figures",
        ),
    ],
)  # fmt: skip
def test_the_checks_find_what_was_changed_by_hand(session, break_it, name):
    of = canteens.canteen(session)
    canteens.done(session, of, kg=20)
    session.flush()
    session.connection().execute(break_it)
    session.expire_all()
    assert name in {found.split(" ", 1)[0] for found in differences(session)}

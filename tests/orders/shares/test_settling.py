"""Goods are owed for when they come in, lines are split when they are settled, refunds undo it."""

from __future__ import annotations

import threading
from datetime import date

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel import audit
from kernel.errors import Invalid, Refusal
from kernel.money import ZERO, Money, Price, parse_money, total
from orders.ledger import queries as ledger
from orders.ledger import rules as accounts
from orders.ledger.models import Transfer
from orders.ledger.operations import Entry, post
from orders.shares import queries
from orders.shares.models import BenefitModel, BenefitRule, CostKind, PartKind, SplitPart
from orders.shares.operations import (
    Cost,
    SettledLine,
    Slice,
    publish_rule,
    reverse_line,
    settle_line,
    settle_lines,
    take_in_slips,
    write_off,
)
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY


class Radish:
    """Zhang and Li bring 120 and 80 kg of radish at 3.20; a canteen buys them at 6.00."""

    def __init__(self, session, model=BenefitModel.FLOOR_AND_REBATE, **given) -> None:
        self.session = session
        self.supplier = makers.supplier(session)
        self.product = makers.product(session, self.supplier)
        self.rule = makers.rule(session, self.product, model=model, **given)
        self.zhang = makers.household(session, "张三")
        self.li = makers.household(session, "李四")
        self.of_zhang = makers.bought(session, self.product, self.zhang, net_g=120_000)
        self.of_li = makers.bought(session, self.product, self.li, net_g=80_000)
        self.buyer = accounts.receivable(self.supplier.code, 77)

    def line(self, subject="acceptance_line:1", *, amount="1176.00", slices=None, on=TODAY):
        return SettledLine(
            subject=subject,
            line_key="line:1",
            order_key="order:1",
            supplier_id=self.supplier.id,
            product_id=self.product.id,
            rule_id=self.rule.id,
            amount=parse_money(amount),
            slices=slices
            or [Slice(self.of_zhang.id, 120_000, 117_600), Slice(self.of_li.id, 80_000, 78_400)],
            debit_code=self.buyer,
            citizen=False,
            on=on,
        )

    def settle(self, **given) -> list[SplitPart]:
        return settle_line(self.session, self.line(**given), by=SOMEBODY, now=NOON)

    def refund(self, amount, subject="credit:1", **given) -> list[SplitPart]:
        return reverse_line(
            self.session, subject=subject, of_line="line:1", amount=parse_money(amount),
            quantity=0, credit_code=self.buyer, on=TODAY, by=SOMEBODY, now=NOON, **given,
        )  # fmt: skip

    def pay(self, household, amount) -> None:
        """As a payout run does: what is owed leaves for the bank."""
        code = self.supplier.code
        post(
            self.session,
            [Entry(self.account(household), accounts.in_transit(code), parse_money(amount),
                   f"paid:{household.id}:{amount}")],
            on=TODAY, by=SOMEBODY, now=NOON,
        )  # fmt: skip

    def account(self, household) -> str:
        return accounts.household(household.code, self.supplier.code)

    def owed(self, household) -> str:
        return ledger.balance(self.session, self.account(household)).yuan

    def books(self) -> dict[str, str]:
        """Balances of the supplier's own accounts, without the empty ones."""
        found = ledger.trial_balance(self.session)
        assert found.debited == found.credited
        return {
            row.account.code.removesuffix(f":{self.supplier.code}"): row.balance.yuan
            for row in found.rows
            if row.balance and not row.account.code.startswith("liabilities:household")
        }


def changed(session) -> tuple[int, int]:
    return tuple(
        session.scalar(sa.select(sa.func.count()).select_from(model))
        for model in (SplitPart, Transfer)
    )


def test_goods_bought_at_the_scale_are_owed_for_from_the_day_they_come_in(session):
    radish = Radish(session)

    assert (radish.owed(radish.zhang), radish.owed(radish.li)) == ("384.00", "256.00")
    assert radish.books() == {"assets:goods": "640.00"}


def test_goods_on_consignment_come_in_at_no_cost(session):
    radish = Radish(session, BenefitModel.CONSIGNMENT)

    assert radish.owed(radish.zhang) == "0.00"
    assert radish.of_zhang.cost == ZERO
    assert radish.books() == {}


def test_the_same_slips_again_change_nothing(session):
    radish = Radish(session)
    slip = makers.slip(session, radish.product, radish.zhang, net_g=10_000)
    given = {"supplier_id": radish.supplier.id, "by": SOMEBODY, "now": NOON}
    [first] = take_in_slips(session, [slip.id], **given)
    before = changed(session), radish.owed(radish.zhang)

    [again] = take_in_slips(session, [slip.id], **given)

    assert again.id == first.id
    assert (changed(session), radish.owed(radish.zhang)) == before


def test_goods_without_a_rule_are_not_taken_in(db):
    with db.transaction() as session:
        product = makers.product(session)
        slip = makers.slip(session, product, makers.household(session))
        slip_id, supplier_id = slip.id, product.supplier_id

    with pytest.raises(Refusal, match="settled how they are paid for"), db.transaction() as session:
        take_in_slips(session, [slip_id], supplier_id=supplier_id, by=SOMEBODY, now=NOON)

    with db.reading() as session:
        assert session.scalars(sa.select(Contribution)).all() == []
        assert changed(session) == (0, 0)


def test_the_worked_example_in_the_books(session):
    radish = Radish(session)

    parts = radish.settle()

    assert total(part.amount for part in parts) == parse_money("1176.00")
    assert radish.owed(radish.zhang) == "554.52"  # 384.00 at the scale, 170.52 rebate
    assert radish.owed(radish.li) == "369.68"
    assert radish.books() == {
        "assets:receivable:" + radish.supplier.code + ":77": "1176.00",
        "liabilities:costs:freight": "90.00",
        "liabilities:costs:packaging": "40.00",
        "liabilities:collective": "121.80",
    }


def test_a_settled_subject_is_settled_once(session):
    radish = Radish(session)
    first = radish.settle()
    before = changed(session)

    again = radish.settle()

    assert [part.id for part in again] == [part.id for part in first]
    assert changed(session) == before


def test_two_deliveries_of_a_line_cost_what_the_goods_cost(session):
    """333.33 kg at 3.20 are 1066.66; three deliveries share that to the fen."""
    radish = Radish(session)
    wang = makers.household(session, "王五")
    of_wang = makers.bought(session, radish.product, wang, net_g=333_330)

    costs = []
    for n in range(3):
        slices = [Slice(of_wang.id, 111_110, 111_110)]
        parts = radish.settle(subject=f"acceptance_line:{n}", amount="666.66", slices=slices)
        costs += [part.amount.yuan for part in parts if part.kind is PartKind.FARM_GATE]

    assert costs == ["355.55", "355.56", "355.55"]
    assert of_wang.cost.yuan == "1066.66"


def test_a_refund_before_the_payout_is_shared_by_all(session):
    radish = Radish(session)
    radish.settle()

    parts = radish.refund("117.60")

    assert total(part.amount for part in parts) == parse_money("-117.60")
    assert radish.owed(radish.zhang) == "505.13"
    assert radish.books()["liabilities:collective"] == "86.52"
    assert radish.books()["assets:receivable:" + radish.supplier.code + ":77"] == "1058.40"


def test_a_refund_after_the_payout_is_borne_by_the_collective(session):
    radish = Radish(session)
    radish.settle()
    radish.pay(radish.zhang, "554.52")
    radish.pay(radish.li, "369.68")

    radish.refund("117.60")

    assert (radish.owed(radish.zhang), radish.owed(radish.li)) == ("0.00", "0.00")
    assert radish.books()["liabilities:collective"] == "4.20"


def test_payments_settle_the_oldest_claims_so_a_younger_rebate_still_bears_its_part(session):
    radish = Radish(session)
    radish.settle()
    radish.pay(radish.zhang, "384.00")  # the radish itself, not the rebate

    radish.refund("117.60")

    assert radish.owed(radish.zhang) == "121.13"  # 170.52 − 49.39


def test_what_was_paid_stays_paid_also_when_newer_goods_are_owed_for(session):
    radish = Radish(session)
    radish.settle()
    radish.pay(radish.zhang, "554.52")
    makers.bought(session, radish.product, radish.zhang, net_g=50_000)

    radish.refund("117.60")

    assert radish.owed(radish.zhang) == "160.00"


def test_a_payment_that_came_back_is_owed_as_before(session):
    radish = Radish(session)
    radish.settle()
    radish.pay(radish.zhang, "554.52")
    code = radish.supplier.code
    post(
        session,
        [Entry(accounts.in_transit(code), radish.account(radish.zhang), Money(55_452), "failed:1")],
        on=TODAY, by=SOMEBODY, now=NOON,
    )  # fmt: skip

    radish.refund("117.60")

    assert radish.owed(radish.zhang) == "505.13"


def test_the_same_refund_again_changes_nothing(session):
    radish = Radish(session)
    radish.settle()
    first = radish.refund("117.60")
    before = changed(session)

    again = radish.refund("117.60")

    assert [part.id for part in again] == [part.id for part in first]
    assert changed(session) == before


def test_no_more_is_refunded_than_was_settled(session):
    radish = Radish(session)
    radish.settle()
    radish.refund("1000.00")
    before = changed(session)

    with pytest.raises(Refusal, match=r"¥176\.00 is left"):
        radish.refund("176.01", "credit:2")

    assert changed(session) == before
    radish.refund("176.00", "credit:2")
    assert queries.of_order(session, "order:1").total == ZERO


def test_what_was_never_settled_is_not_reversed(session):
    radish = Radish(session)

    with pytest.raises(Refusal, match="settled yet"):
        radish.refund("1.00")

    assert changed(session)[0] == 0


def test_goods_that_come_back_are_worth_again_what_they_cost(session):
    radish = Radish(session)
    radish.settle()

    radish.refund("1176.00", returned={radish.of_zhang.id: 120_000, radish.of_li.id: 80_000})

    assert radish.books() == {
        "assets:goods": "640.00",
        "income:cooperative": "-130.00",
        "liabilities:costs:freight": "90.00",
        "liabilities:costs:packaging": "40.00",
    }
    assert (radish.owed(radish.zhang), radish.owed(radish.li)) == ("384.00", "256.00")


def test_what_spoils_is_written_off_at_what_it_cost_and_the_household_keeps_its_due(session):
    radish = Radish(session)

    write_off(session, radish.of_zhang.id, 30_000, cause="spoiled:1", by=SOMEBODY, now=NOON)
    write_off(session, radish.of_zhang.id, 30_000, cause="spoiled:1", by=SOMEBODY, now=NOON)

    assert radish.books() == {"assets:goods": "544.00", "expenses:loss": "96.00"}
    assert radish.owed(radish.zhang) == "384.00"


def test_a_delivery_of_many_lines_takes_as_many_queries_as_one_of_few(session, statements):
    radish = Radish(session)
    households = [makers.household(session, f"农户{n}") for n in range(24)]
    goods = [makers.bought(session, radish.product, each, net_g=9_000) for each in households]

    def sent(lines) -> int:
        statements.clear()
        settle_lines(session, lines, by=SOMEBODY, now=NOON)
        return len(statements)

    def line(n):
        return radish.line(f"line:{n}", amount="54.00", slices=[Slice(goods[n].id, 9_000, 9_000)])

    few = sent([line(n) for n in range(2)])
    many = sent([line(n) for n in range(2, 24)])

    assert many <= few + 2  # very long lists of rows are cut in pieces


def test_the_audit_trail_agrees_with_every_part(db):
    with db.transaction() as session:
        radish = Radish(session)
        radish.settle()
        radish.refund("117.60")
    with db.reading() as session:
        assert list(audit.verify(session)) == []


@pytest.mark.race
def test_two_who_settle_the_same_delivery_at_once_settle_it_once(db):
    with db.transaction() as session:
        radish = Radish(session)
        line, account = radish.line(), radish.account(radish.zhang)
    barrier = threading.Barrier(3)
    problems: list[Exception] = []

    def work() -> None:
        barrier.wait()
        try:
            with db.transaction() as session:
                settle_line(session, line, by=SOMEBODY, now=NOON)
        except Exception as problem:  # noqa: BLE001  shown by the assertion below
            problems.append(problem)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert problems == []
    with db.reading() as session:
        assert ledger.balance(session, account) == parse_money("554.52")
        assert list(audit.verify(session)) == []


# --- rules ---------------------------------------------------------------------------------------


def publish(session, product, **given):
    return publish_rule(
        session, product.id,
        **{"model": BenefitModel.FLOOR_AND_REBATE, "retained_bp": 3000, "resolution": "2026-03",
           "costs": [], "valid_from": TODAY, **given},
        by=SOMEBODY, now=NOON,
    )  # fmt: skip


def test_the_rule_of_a_day_is_the_newest_that_had_begun(session):
    product = makers.product(session)
    first = publish(session, product, valid_from=date(2026, 1, 1))
    second = publish(session, product, valid_from=date(2026, 6, 1), retained_bp=2000)

    def on(day):
        return queries.rules_in_force(session, [product.id], day).get(product.id)

    assert on(date(2025, 12, 31)) is None
    assert on(date(2026, 5, 31)) == first.id
    assert on(date(2026, 6, 1)) == second.id
    assert (first.version, second.version) == (1, 2)


def test_the_same_rule_again_is_the_one_that_holds(session):
    product = makers.product(session)
    costs = [Cost(kind=CostKind.FREIGHT, per_unit=Price(4500))]

    first = publish(session, product, costs=costs)
    again = publish(session, product, costs=costs)

    assert again.id == first.id


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"resolution": " "}, "resolution"),
        ({"retained_bp": 10_001}, "retained"),
        ({"costs": [Cost(kind=CostKind.FREIGHT)]}, "costs"),
        ({"costs": [Cost(kind=CostKind.FREIGHT, per_unit=Price(1), share_bp=1)]}, "costs"),
        ({"costs": [Cost(kind=CostKind.FREIGHT, share_bp=10_000)]}, "costs"),
        ({"costs": [Cost(kind=CostKind.FREIGHT, per_unit=Price(-1))]}, "costs"),
    ],
)
def test_a_rule_that_makes_no_sense_is_not_published(session, given, field):
    product = makers.product(session)

    with pytest.raises(Invalid) as refused:
        publish(session, product, **given)

    assert set(refused.value.errors) == {field}
    assert session.scalars(sa.select(BenefitRule)).all() == []


def test_a_rule_cannot_begin_before_the_one_it_follows(session):
    product = makers.product(session)
    publish(session, product, valid_from=TODAY)

    with pytest.raises(Refusal, match="2026-11-23"):
        publish(session, product, valid_from=date(2026, 11, 22))


def test_consignment_does_not_begin_while_bought_goods_are_in_the_store(session):
    radish = Radish(session)

    with pytest.raises(Refusal, match="in the store"):
        publish(session, radish.product, model=BenefitModel.CONSIGNMENT, valid_from=TODAY)


# --- what a price comes apart into ---------------------------------------------------------------


def test_a_box_of_radish_says_where_each_yuan_goes(session):
    radish = Radish(session)
    pack = makers.pack(session, radish.product, content=10_000, price=Money(5800))

    sharing = queries.sharing_of(session, [radish.product.id], TODAY)[radish.product.id]
    sold = (pack.grade, pack.price, pack.content, radish.product.base_unit)
    parts = {part.kind: part.amount for part in sharing.parts(*sold)}

    assert total(parts.values()) == Money(5800)
    assert parts["farm_gate"] == Money(3200)
    assert parts["retained"] == Money(585)  # 30 % of 58.00 − 32.00 − 4.50 − 2.00
    assert sharing.to_households(*sold) == Money(3200 + 1365)
    assert sharing.farm_prices[pack.grade] == Price(32_000)


def test_a_price_without_a_rule_is_not_explained(session):
    product = makers.product(session)

    assert queries.sharing_of(session, [product.id], TODAY) == {}


def test_where_the_yuan_went_counts_refunds(session):
    radish = Radish(session)
    radish.settle()
    radish.refund("117.60")

    found = queries.where_the_yuan_went(session, TODAY, TODAY)

    assert found.total == parse_money("1058.40")
    assert found.to_households == parse_money("841.88")
    assert found.part(PartKind.RETAINED) == parse_money("86.52")
    assert queries.where_the_yuan_went(session, date(2026, 1, 1), date(2026, 11, 22)).total == ZERO
    assert queries.household_totals(session, TODAY, TODAY) == {
        radish.zhang.id: parse_money("505.13"),
        radish.li.id: parse_money("336.75"),
    }

"""The passbook: every transfer of a household in order, with what it was for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kernel.money import ZERO, Price, parse_money, total
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payouts.models import FailureReason
from orders.payouts.operations import fail_line
from orders.payouts.queries.passbook import PER_PAGE, EntryKind, passbook
from orders.shares.models import BenefitModel
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.orders.payouts.test_runs import Coop
from tests.orders.shares.test_settling import Radish


def lines(page) -> list[tuple[EntryKind, str, str]]:
    return [(line.kind, line.amount.yuan, line.balance.yuan) for line in page.lines]


def test_a_new_household_has_an_empty_first_page(session):
    page = passbook(session, makers.household(session).id)

    assert (page.number, page.of, page.lines, page.owed_now) == (1, 1, [], ZERO)
    assert list(page.blanks) == list(range(1, PER_PAGE + 1))


def test_goods_are_written_with_weight_and_price(session):
    coop = Coop(session)

    [line] = passbook(session, coop.zhang.id).lines

    assert (line.kind, line.amount.yuan) == (EntryKind.GOODS, "384.00")
    assert (line.quantity, line.price, line.weighed_on) == (120_000, Price(32_000), TODAY)
    assert line.product.id == coop.product.id


def test_a_payment_is_stamped_only_when_the_bank_has_confirmed_it(session):
    coop = Coop(session)
    run = coop.exported()
    _, zhang = coop.lines(run)

    page = passbook(session, coop.zhang.id)
    assert lines(page) == [
        (EntryKind.GOODS, "384.00", "384.00"),
        (EntryKind.PAYMENT, "-384.00", "0.00"),
    ]
    assert (page.lines[1].paid_on, page.lines[1].bank_ref) == (None, "")
    assert (page.owed_now, page.under_way) == (ZERO, parse_money("384.00"))

    coop.bank_says(("-384.00", zhang.reference))
    coop.confirm()
    page = passbook(session, coop.zhang.id)
    assert (page.lines[1].paid_on, page.lines[1].bank_ref) == (TODAY, "B10")
    assert page.under_way == ZERO


def test_a_payment_that_failed_is_owed_again_on_the_next_line(session):
    coop = Coop(session)
    run = coop.exported()
    _, zhang = coop.lines(run)
    fail_line(
        session, zhang.id, reason=FailureReason.ACCOUNT_CLOSED, by=coop.accountant, **coop.mine
    )

    page = passbook(session, coop.zhang.id)

    assert lines(page)[1:] == [
        (EntryKind.PAYMENT, "-384.00", "0.00"),
        (EntryKind.PAYMENT_FAILED, "384.00", "384.00"),
    ]
    assert page.lines[1].paid_on is None


def test_rebates_and_refunds_say_what_they_are(session):
    radish = Radish(session)
    radish.settle()
    radish.refund("117.60")

    page = passbook(session, radish.zhang.id)

    assert lines(page) == [
        (EntryKind.GOODS, "384.00", "384.00"),
        (EntryKind.REBATE, "170.52", "554.52"),
        (EntryKind.REFUND, "-49.39", "505.13"),
    ]
    assert page.lines[1].weighed_on == TODAY


def test_goods_on_consignment_are_written_when_they_are_sold(session):
    radish = Radish(session, BenefitModel.CONSIGNMENT, retained_bp=0)

    assert passbook(session, radish.zhang.id).lines == []
    radish.settle()

    [line] = passbook(session, radish.zhang.id).lines
    assert (line.kind, line.amount.yuan) == (EntryKind.CONSIGNED, "627.60")
    assert (line.quantity, line.price) == (117_600, Price(53_367))


def test_pages_of_twelve_carry_the_balance_forward(session, statements):
    coop = Coop(session)
    for n in range(1, 26):
        makers.bought(
            session, coop.product, coop.zhang, net_g=1_000 * n, at=NOON + timedelta(days=n)
        )

    statements.clear()
    first = passbook(session, coop.zhang.id, page=1)
    few = len(statements)
    last = passbook(session, coop.zhang.id)
    second = passbook(session, coop.zhang.id, page=2)

    assert len(statements) == 3 * few
    assert (first.number, last.number, last.of) == (1, 3, 3)
    assert [len(page.lines) for page in (first, second, last)] == [12, 12, 2]
    assert (first.brought_forward, second.brought_forward) == (ZERO, first.balance)
    assert last.brought_forward == second.balance
    assert last.balance == last.owed_now == first.owed_now
    assert total(page.earned - page.paid for page in (first, second, last)) == last.balance
    assert passbook(session, coop.zhang.id, page=99).number == 3


def test_what_no_room_knows_is_shown_with_its_own_words(session):
    coop = Coop(session)
    code = coop.supplier.code
    post(
        session,
        [Entry(accounts.bank(code), accounts.household(coop.zhang.code, code),
               parse_money("720"), "rent:2026:1", "土地租金 1.2 亩 × 600 元")],
        on=TODAY, by=SOMEBODY, now=NOON,
    )  # fmt: skip

    line = passbook(session, coop.zhang.id).lines[-1]

    assert (line.kind, line.memo) == (EntryKind.OTHER, "土地租金 1.2 亩 × 600 元")


@pytest.mark.parametrize("page", [-3, 0, 1])
def test_pages_before_the_first_are_the_first(session, page):
    coop = Coop(session)

    assert passbook(session, coop.zhang.id, page=page).number == 1

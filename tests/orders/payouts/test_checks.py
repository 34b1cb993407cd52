"""The self-check finds nothing in true books, and finds what was bent behind their back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel import audit
from orders.ledger import checks as ledger
from orders.payouts import checks as payouts
from orders.payouts.models import FailureReason
from orders.payouts.operations import fail_line
from orders.shares import checks as shares
from orders.shares.models import SplitPart
from orders.shares.operations import write_off
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.orders.payouts.test_runs import Coop
from tests.orders.shares.test_settling import Radish

CHECKS = [*ledger.CHECKS, *shares.CHECKS, *payouts.CHECKS]


def differences(session) -> dict[str, list[str]]:
    found = {
        check.name: [f"{each.subject} {each.sentence}" for each in check.run(session)]
        for check in CHECKS
    }
    return {name: each for name, each in found.items() if each}


@pytest.fixture
def busy(session):
    """Goods bought, settled, refunded, spoiled, returned; households paid, one payment back."""
    radish = Radish(session)
    radish.settle()
    radish.refund("117.60")
    radish.refund("50.00", "credit:2", returned={radish.of_zhang.id: 7_001})
    other = makers.bought(session, radish.product, radish.li, net_g=33_333)
    write_off(session, other.id, 1_111, cause="spoiled:1", by=SOMEBODY, now=NOON)
    consigned = Radish(session, makers.BenefitModel.CONSIGNMENT)
    consigned.settle(subject="acceptance_line:9")
    coop = Coop(session)
    run = coop.exported()
    li, zhang = coop.lines(run)
    coop.bank_says((f"-{li.amount.yuan}", li.reference))
    coop.confirm()
    fail_line(session, zhang.id, reason=FailureReason.OTHER, by=coop.accountant, **coop.mine)
    return session


def test_true_books_have_no_difference(busy):
    assert differences(busy) == {}
    assert all(check.rows(busy) > 0 for check in CHECKS)


@pytest.mark.parametrize(
    ("bend", "names"),
    [
        ("UPDATE accounts SET kind = 'assets' WHERE code LIKE 'liabilities:household:%'",
         {"ledger.accounts", "ledger.signs", "payouts.owed"}),
        ("UPDATE payout_runs SET total = total + 1", {"payouts.lists"}),
        ("UPDATE payout_lines SET state = 'sent' WHERE state = 'failed'",
         {"payouts.under_way", "payouts.owed"}),
        ("UPDATE payout_lines SET state = 'paid' WHERE state = 'failed'",
         {"payouts.bank", "payouts.owed"}),
        ("UPDATE contributions SET cost = cost + 1 WHERE cost > 0",
         {"shares.goods", "payouts.owed"}),
        ("UPDATE payout_runs SET reviewed_by_id = NULL", {"payouts.four_eyes"}),
        ("UPDATE bank_lines SET amount = -amount", {"payouts.bank_book"}),
    ],
)  # fmt: skip
def test_what_was_bent_is_found(busy, bend, names):
    busy.execute(sa.text(bend))
    busy.expire_all()

    assert names <= set(differences(busy))


def test_a_part_that_was_added_is_found(busy):
    template = busy.scalars(sa.select(SplitPart).where(SplitPart.kind == "retained")).first()
    values = {
        column.key: getattr(template, column.key)
        for column in sa.inspect(SplitPart).column_attrs
        if column.key not in ("id", "cause")
    }
    busy.add(SplitPart(**values, cause="made up"))
    busy.flush()
    audit.note(busy, "arrange", "test", by=SOMEBODY, now=NOON)

    assert {"shares.parts", "shares.accounts"} <= set(differences(busy))

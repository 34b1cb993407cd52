"""References, failures and deadlines, as rules without a database."""

from __future__ import annotations

from datetime import date

import pytest

from orders.payouts.rules.bankfile import plain
from orders.payouts.rules.deadlines import answer_due
from orders.payouts.rules.references import failure_in, reference, references_in


def test_a_reference_survives_what_banks_do_to_it():
    mine = reference("FF26-000012", 43)

    assert mine == "FF26-000012-00043"
    for memo in (
        mine,
        f"代发货款 {mine}",
        "ＦＦ26-000012-00043",
        "ff26 000012 00043",
        "FF2600001200043",
    ):
        assert references_in(memo) == [mine]
    assert references_in(f"{mine} {mine} FF26-000012-00044") == [mine, "FF26-000012-00044"]
    for memo in ("", "DG26-000012", "FF26-000012", "XFF26-000012-00043", "FF26-000012-000431"):
        assert references_in(memo) == []


@pytest.mark.parametrize(
    ("memo", "reason"),
    [
        ("退汇：户名不符", "name_mismatch"),
        ("收款账户已销户", "account_closed"),
        ("账号错误", "wrong_account"),
        ("系统繁忙", "other"),
    ],
)
def test_the_banks_words_say_why(memo, reason):
    assert failure_in(memo) == reason


def test_an_answer_is_due_on_the_fifth_working_day():
    assert answer_due(date(2026, 11, 23)) == date(2026, 11, 30)  # Monday
    assert answer_due(date(2026, 11, 27)) == date(2026, 12, 4)  # Friday
    assert answer_due(date(2026, 11, 28)) == date(2026, 12, 4)  # Saturday
    holiday = [date(2026, 11, 25)]
    assert answer_due(date(2026, 11, 23), days_off=holiday) == date(2026, 12, 1)
    assert answer_due(date(2026, 11, 23), works=[date(2026, 11, 28)]) == date(2026, 11, 28)


def test_no_cell_becomes_a_formula():
    assert plain("=1+1") == "'=1+1"
    assert plain("@张三") == "'@张三"
    assert plain("张三") == "张三"

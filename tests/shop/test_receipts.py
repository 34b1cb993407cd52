"""The receipt that goes on: whether households were paid, shown to others without the buyer."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given as examples
from hypothesis import strategies as st

from catalog.households.models import Household
from catalog.households.rules import SMALL
from catalog.lots import operations as lots
from catalog.lots.models import CommitmentBasis, Contribution, Lot
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.errors import Refusal
from kernel.money import Money
from kernel.people import Organisation
from orders.payments.operations import complete_citizen_order, import_statement
from orders.payments.rules.statements import StatementRow
from orders.payouts.models import PayoutLine
from orders.payouts.operations import (
    approve_run,
    confirm_from_statement,
    draft_run,
    export_run,
    review_run,
)
from orders.payouts.operations.exporting import FileKind
from orders.sales.operations import ship_order
from orders.sales.rules.keys import order_key
from orders.shares.models import PartKind, ShownReceipt
from orders.shares.operations import show_receipt
from orders.shares.queries import lot_paid, order_paid
from orders.shares.rules.paying import Claim, Debit, PaidState, Payment, payment_of, state_of
from shop.storefront.queries import published
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


class Sold:
    """Radish of so many households, one order of it bought, shipped and completed."""

    def __init__(self, session, households=6) -> None:
        self.product = makers.sold_product(session, nets=(10_000,) * households)
        self.supplier_id = self.product.supplier_id
        self.homes = session.scalars(sa.select(Household).order_by(Household.id)).all()
        for home in self.homes:
            makers.account(session, home)
        self.order = makers.paid_order(session, self.product, count=households)
        ship_order(
            session, self.order.id, supplier_id=self.supplier_id, request_key="ship:1", **DID
        )
        complete_citizen_order(session, self.order.id, **DID)
        self.key = f"order:{self.order.id}"
        self.lot = session.scalars(sa.select(Lot)).one()

    def pay_out(self, session, **how) -> None:
        pay_out(session, self.product, **how)


def pay_out(session, product, *, on=TODAY, fails=()) -> None:
    """One payout run of everything that is owed, confirmed by the bank; `fails` come back."""
    supplier = session.get(Supplier, product.supplier_id)
    body = session.get(Organisation, supplier.organisation_id)
    first, second, manager = (
        makers.acting(makers.member(session, body, role), role, body)
        for role in (Role.ACCOUNTANT, Role.ACCOUNTANT, Role.MANAGER)
    )
    mine = {"supplier_id": product.supplier_id, "now": NOON}
    run = draft_run(session, up_to=TODAY, request_key=f"draft:{on}", by=first, **mine)
    review_run(session, run.id, by=second, **mine)
    approve_run(session, run.id, by=manager, **mine)
    export_run(session, run.id, kind=FileKind.CSV, by=first, **mine)
    lines = session.scalars(sa.select(PayoutLine).where(PayoutLine.run_id == run.id)).all()
    rows = [
        StatementRow(on, -line.amount, "", line.reference, f"B{line.id}", "") for line in lines
    ] + [
        StatementRow(on, line.amount, "", f"退汇 {line.reference}", f"R{line.id}", "")
        for line in lines
        if line.household_id in fails
    ]
    import_statement(
        session, name="bank.csv", sha256=f"{on:%Y%m%d}" * 8, rows=rows, by=first, **mine
    )
    confirm_from_statement(session, by=first, **mine)


def test_what_is_owed_becomes_paid_when_the_bank_says_so(session):
    sold = Sold(session)
    before = order_paid(session, sold.key)
    assert {kind: each.state for kind, each in before.items()} == {
        PartKind.FARM_GATE: PaidState.OWED, PartKind.REBATE: PaidState.OWED,
    }  # fmt: skip

    sold.pay_out(session)

    after = order_paid(session, sold.key)
    assert {each.state for each in after.values()} == {PaidState.PAID}
    assert {each.on for each in after.values()} == {TODAY}
    assert {kind: each.amount for kind, each in after.items()} == {
        kind: each.amount for kind, each in before.items()
    }
    assert {each.state for each in lot_paid(session, sold.lot.id).values()} == {PaidState.PAID}


def test_a_payment_that_came_back_pays_nothing_and_the_rest_is_only_partly_paid(session):
    sold = Sold(session)
    sold.pay_out(session, fails={sold.homes[0].id})

    assert {each.state for each in order_paid(session, sold.key).values()} == {PaidState.PARTLY}
    assert {each.on for each in lot_paid(session, sold.lot.id).values()} == {None}

    sold.pay_out(session, on=TODAY + timedelta(days=1))
    assert {each.state for each in order_paid(session, sold.key).values()} == {PaidState.PAID}


def test_of_few_households_no_day_is_shown(session):
    sold = Sold(session, households=3)
    sold.pay_out(session)

    paid = order_paid(session, sold.key)
    assert {(each.state, each.on) for each in paid.values()} == {(PaidState.PAID, None)}


@examples(
    st.lists(st.integers(1, 50), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=6),
)
def test_a_claim_is_paid_only_when_all_older_ones_are(claims, moves):
    debits, reached = [], 0
    for number, (amount, is_payment) in enumerate(moves):
        reached += amount
        day = date(2026, 1, 1) + timedelta(days=number)
        debits.append(Debit(reached, Payment(day, 9) if is_payment else None))
    total, found = 0, []
    for claim in claims:
        total += claim
        found.append(payment_of(total, debits))
        if found[-1] is not None:
            assert reached >= total, "nothing is paid with money that never left"
    for older, newer in zip(found, found[1:], strict=False):
        assert newer is None or (older is not None and older.on <= newer.on)


people = st.tuples(st.integers(1, 9), st.integers(-5, 500), st.one_of(st.none(), st.integers(1, 8)))


@examples(st.lists(people, max_size=8))
def test_no_day_of_few_households_leaves_and_nothing_owed_is_called_paid(rows):
    claims = [
        Claim(home, Money(fen), Payment(date(2026, 2, 1), crowd) if crowd else None)
        for home, fen, crowd in rows
    ]
    said = state_of(claims)
    open_ones = [each for each in claims if each.amount > Money(0)]
    if said.state is PaidState.PAID:
        assert all(each.payment for each in open_ones)
    if said.on is not None:
        crowd = min(each.payment.together for each in open_ones)
        assert max(crowd, len({each.household_id for each in open_ones})) >= SMALL
    assert said.amount == sum((each.amount for each in open_ones), Money(0))


@examples(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 9_999)), max_size=7))
def test_no_published_amount_stands_for_fewer_than_five_households(counts):
    rows = [(f"{n:02}", f"村{n}", count, Money(fen), ()) for n, (count, fen) in enumerate(counts)]
    by_code = {row[0]: row[2] for row in rows}
    lines = published(rows)
    if sum(by_code.values()) < SMALL:
        assert lines == ()
        return
    covers: dict[str, int] = {}
    holders = [line.code for line in lines if line.amount is not None]
    for line in lines:
        holder = line.code if line.amount is not None else holders[-1]
        covers[holder] = covers.get(holder, 0) + by_code[line.code]
    assert all(number >= SMALL for number in covers.values())
    shown = sum(line.amount.fen for line in lines if line.amount is not None)
    assert shown == sum(row[3].fen for row in rows)


@pytest.fixture
def sold(db):
    with given(db) as session:
        made = Sold(session)
        made.pay_out(session)
    return made


def address(app, sold):
    key = order_key(app.extensions["services"].config.secret_key, sold.order.code)
    return f"/orders/{sold.order.code}?key={key}"


def shown_at(db):
    with db.reading() as session:
        return session.scalars(sa.select(ShownReceipt)).one()


def test_a_buyer_shows_where_the_money_went_and_takes_it_back(app, db, sold):
    buyer = person(app).open(address(app, sold)).sees("Paid or not", "paid 23 Nov 2026")
    buyer.press("Make a page to share").sees("Take the page back")
    buyer.again()
    receipt = shown_at(db)
    stranger = person(app).open(f"/receipts/{receipt.code}")
    stranger.sees("went to households", "1 village", "<5 households", "paid 23 Nov 2026")
    html = str(stranger.page)
    for secret in (
        sold.order.number, sold.order.code, "key=", "林女士", "13855501234", "138****1234",
        "松牌路", "lin@example.test", *(home.name for home in sold.homes),
        *(home.code for home in sold.homes),
    ):  # fmt: skip
        assert secret not in html
    assert stranger.page.find("meta", {"property": "og:title"})["content"].startswith("Of ¥")
    person(app, lang="zh").open(f"/receipts/{receipt.code}").sees("付了没有", "归农户")

    buyer.open(address(app, sold)).press("Take the page back").sees("Make a page to share")
    stranger.open(f"/receipts/{receipt.code}", status=404).sees("has taken it back")
    buyer.press("Make a page to share")
    assert shown_at(db).code != receipt.code
    stranger.open(f"/receipts/{receipt.code}", status=404)


def test_nobody_else_shows_it_and_an_open_order_has_nothing_to_show(app, db, sold):
    buyer = person(app).open(address(app, sold))
    form, _ = buyer._form_with("Make a page to share")
    data = {each["name"]: each.get("value", "") for each in form.find_all("input")}
    answer = buyer.client.post(form["action"], data={**data, "key": "wrong"})
    assert answer.status_code == 404
    with given(db) as session:
        other = makers.paid_order(session, session.get(type(sold.product), sold.product.id))
        with pytest.raises(Refusal):
            show_receipt(session, f"order:{other.id}", **DID)
        assert session.scalars(sa.select(ShownReceipt)).all() == []


def test_the_trace_says_what_was_paid_and_opens_the_lots_own_paper_only(app, db, sold):
    with given(db) as session:
        own = lots.issue_certificate(
            session, sold.supplier_id, sold.lot.id, basis=CommitmentBasis.OWN_PROMISE, **DID
        )
        part = session.scalars(sa.select(Contribution.id).order_by(Contribution.id)).first()
        homes = lots.issue_household_certificate(
            session, sold.supplier_id, sold.lot.id, part, basis=CommitmentBasis.OWN_PROMISE,
            **DID,
        )  # fmt: skip
    page = person(app).open(f"/trace/{sold.lot.code}")
    page.sees("Were the households paid their", "paid 23 Nov 2026", own.number, "Dispatch notes")
    page.does_not_see(homes.number)
    paper = page.page.find("a", string=re.compile(own.number))["href"]
    answer = page.client.get(paper)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF")
    assert page.client.get(paper.replace(own.number, homes.number)).status_code == 404


def test_a_receipt_costs_the_same_however_many_lines_and_households(app, db, statements):
    with given(db) as session:
        small = Sold(session, households=2)
    visitor = person(app).open(address(app, small))
    statements.clear()
    visitor.open(address(app, small))
    few = len(statements)
    with given(db) as session:
        product = session.get(type(small.product), small.product.id)
        makers.stock(session, product, (10_000,) * 7)
        many = makers.paid_order(session, product, count=8)
        ship_order(session, many.id, supplier_id=small.supplier_id, request_key="ship:2", **DID)
        complete_citizen_order(session, many.id, **DID)
        small.order = many
    statements.clear()
    visitor.open(address(app, small)).sees("Paid or not")
    assert len(statements) <= few

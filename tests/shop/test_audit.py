"""An auditor reads everything and changes nothing; a planted difference is found and named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.money import parse_money
from kernel.people import OrganisationKind
from orders.payments.operations.banking import import_statement
from orders.payments.rules.statements import StatementRow
from shop.working import Worker
from tests import makers
from tests.web import given


@pytest.fixture
def town():
    """The code of the household that 120 kg were bought from."""
    return []


@pytest.fixture
def auditor(db, person, town):
    with given(db) as session:
        bureau = makers.organisation(session, "黔江区审计局", kind=OrganisationKind.GOVERNMENT)
        user = makers.member(session, bureau, Role.AUDITOR)
        product = makers.product(session, makers.supplier(session, code="SS"))
        makers.rule(session, product)
        family = makers.household(session, "张三")
        makers.bought(session, product, family, net_g=120_000)
        town.append(family.code)
    return person(user)


def test_a_self_check_is_asked_for_done_by_the_worker_and_shown(app, auditor):
    auditor.open("/audit/").sees("No self-check has run yet")
    auditor.press("Check again now").sees("A self-check is under way")
    Worker(app.extensions["services"]).drain()
    auditor.open("/audit/").sees("no difference", "The audit trail matches every row")


def test_a_row_changed_behind_the_trail_is_named(app, db, auditor):
    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE accounts SET name = 'other' WHERE code LIKE 'assets%'"))
    auditor.open("/audit/").press("Check again now")
    Worker(app.extensions["services"]).drain()
    auditor.open("/audit/").sees("accounts", "was changed behind the trail")


def test_the_books_lead_from_the_trial_balance_to_every_transfer(auditor, town):
    auditor.open("/audit/books").sees("¥384.00", "equal")
    auditor.follow(f"liabilities:household:{town[0]}:SS").sees("assets:goods:SS", "¥384.00")


def test_the_exported_books_are_those_of_the_command(auditor, town):
    answer = auditor.client.get("/audit/books.beancount")
    assert f"Liabilities:Household:{town[0]}:SS  -384.00 CNY" in answer.get_data(as_text=True)


def test_the_trail_is_found_by_action(auditor):
    auditor.open("/audit/trail?q=post").sees("arrange (+", "test")
    auditor.open("/audit/trail?q=nothing_like_it").sees("Nothing of that kind")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_nobody_else_enters(role, db, person):
    with given(db) as session:
        user = makers.member(session, makers.organisation(session), role)
    visitor = person(user)
    for path in ("/audit/", "/audit/books", "/audit/trail", "/audit/books.beancount"):
        visitor.open(path, status=403)


def test_the_bank_book_stands_beside_the_statement(auditor, db):
    auditor.open("/audit/bank").sees("No statement was imported yet")
    with given(db) as session:
        supplier = session.scalars(sa.select(Supplier)).one()
        import_statement(
            session, supplier_id=supplier.id, name="bank.csv", sha256="1" * 64,
            rows=[StatementRow(makers.TODAY, parse_money("120"), "水市小学", "货款", "B1")],
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip

    auditor.open("/audit/bank").sees("¥120.00", "¥0.00", "one movement, since 23 Nov 2026")


def test_the_two_sums_of_an_invariant_stand_side_by_side(app, auditor):
    auditor.open("/audit/").press("Check again now")
    Worker(app.extensions["services"]).drain()
    auditor.open("/audit/").sees("R1: debits are credits 384.00 384.00", "120,000 120,000")

"""A citizen without an account: from the shelf to the receipt, which says who was paid."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from catalog.households.models import Household
from kernel import audit
from kernel.actors import Role
from kernel.people import Organisation
from orders.sales.models import Order, OrderState
from shop.selfcheck import run_all
from tests import makers
from tests.orders.payments.test_buying import ADDRESS, press_raw
from tests.shop.test_receipts import pay_out
from tests.web import given, person


class Village:
    """Six households brought radish; a storekeeper who does nothing but the store."""

    def __init__(self, session) -> None:
        self.product = makers.sold_product(session, nets=(10_000,) * 6, slug="space-radish")
        body = session.get(Organisation, self.product.supplier.organisation_id)
        self.storekeeper = makers.member(session, body, Role.STOREKEEPER, name="陶库管")
        for home in session.scalars(sa.select(Household)):
            makers.account(session, home)


@pytest.fixture
def village(db):
    with given(db) as session:
        return Village(session)


def test_a_guest_buys_receives_and_sees_the_households_paid(app, db, provider, village):
    guest = person(app).open("/products").follow("Space radish").sees("Of each yuan")
    guest.press("Put into the basket").open("/cart").follow("Check out")
    form, _ = guest._form_with("Pay ¥29.00")
    back = urlsplit(provider.pay(press_raw(guest, form, ADDRESS)).location)
    mine = f"{back.path}?{back.query}"
    provider.deliver(app.test_client())
    guest.open(mine).sees("Being packed", "Paid by card", "Who grew it")

    number = state_is(db, OrderState.TO_SHIP)
    store = person(app, village.storekeeper).open("/coop/orders").follow(number)
    store.press("Ship it")
    store.again()
    guest.open(mine).press("I have received it")
    guest.press("All is well, complete it").sees("went to households", "Owed", "84.1")
    state_is(db, OrderState.COMPLETED)

    with given(db) as session:
        pay_out(session, session.get(type(village.product), village.product.id))
    guest.open(mine).sees("paid 23 Nov 2026").press("Make a page to share")
    link = guest.page.find("a", href=lambda href: href and "/receipts/" in href)["href"]
    person(app).open(urlsplit(link).path).sees("Paid or not").does_not_see(number, "林女士")
    with db.snapshot() as session:
        assert [each.name for each in run_all(session) if each.differences] == []
        assert list(audit.verify(session)) == []


def state_is(db, state) -> str:
    with db.reading() as session:
        order = session.scalars(sa.select(Order)).one()
        assert order.state is state
        return order.number

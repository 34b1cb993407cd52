"""A citizen's orders in the account: found again, adopted, and an address book for the next one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.products.models import Product
from kernel import audit
from kernel.actors import COMMAND
from kernel.crypto import keyed_hash
from kernel.people import User
from orders.sales.checks import CHECKS
from orders.sales.models import Order, OrderState, SavedAddress
from orders.sales.operations.keeping import MOST_ADDRESSES
from orders.sales.rules.keys import order_address
from tests import makers
from tests.shop.account.mailbox import code_for
from tests.web import given, person


@pytest.fixture
def lin(db, clock):
    with given(db) as session:
        user = makers.user(session, "林溪", email="lin@example.cn")
        user.email_proven_at = clock()
    return user


@pytest.fixture
def citizen(app, lin):
    return person(app, lin)


@pytest.fixture
def radish(db):
    with given(db) as session:
        made = makers.sold_product(session, nets=(900_000,))
        made.pack_id = makers.pack_of(made).id
    return made


def somebody(db):
    with given(db) as session:
        return makers.user(session, "别人")


def order(session, radish, **given_):
    contact = makers.contact(email=given_.pop("email", None))
    product = session.get(Product, radish.id)
    return makers.citizen_order(session, product, contact=contact, **given_)


# --- orders --------------------------------------------------------------------------------------


def test_orders_are_found_by_sort_number_and_product(citizen, lin, radish, db):
    with given(db) as session:
        tea = makers.sold_product(session)
        tea.name_zh = "安心红茶"
        first = order(session, radish, user_id=lin.id)
        second = order(session, tea, user_id=lin.id)
        first.state = OrderState.CANCELLED
        audit.note(session, "test", "test", by=COMMAND, now=makers.NOON)

    citizen.open("/account/orders").sees(first.number, second.number, "To pay 1", "Not bought 1")
    citizen.follow("Not bought").sees(first.number).does_not_see(second.number)
    citizen.open("/account/orders?q=红茶").sees(second.number).does_not_see(first.number)
    citizen.open(f"/account/orders?q={first.number[-5:]}").sees(first.number)
    citizen.open("/account/orders?q=nothing").sees("No order fits")
    citizen.open("/account/orders?q=%25&page=0&sort=x").sees("No order fits")


def test_a_list_of_orders_costs_the_same_however_long(citizen, lin, radish, db, statements):
    def cost():
        statements.clear()
        citizen.open("/account/orders")
        return len(statements)

    with given(db) as session:
        order(session, radish, user_id=lin.id)
    few = cost()
    with given(db) as session:
        for _each in range(24):
            order(session, radish, user_id=lin.id)

    assert cost() == few
    citizen.follow("Older").sees("Page 2")


def test_a_guests_orders_join_the_account_of_the_same_proven_address(citizen, lin, radish, db):
    with given(db) as session:
        mine = order(session, radish, email="Lin@example.cn")
        other = order(session, radish, email="someone@example.cn")

    citizen.open("/account/orders").sees("1 order was placed with your address before")
    citizen.press("Take them into my account").sees("1 order is in your account now.", mine.number)

    citizen.does_not_see(other.number, "before you had an account")
    citizen.open(f"/orders/{mine.code}")
    with db.reading() as session:
        assert [*audit.verify(session)] == []


def test_orders_are_not_adopted_before_the_address_is_shown_to_be_theirs(
    app, citizen, lin, radish, db
):
    with given(db) as session:
        session.get(User, lin.id).email_proven_at = None
        mine = order(session, radish, email="lin@example.cn")

    citizen.open("/account/orders").does_not_see("Take them into my account")
    citizen.client.post("/account/orders/adopt", data=_guard(citizen.open("/account")))
    with db.reading() as session:
        assert session.get(Order, mine.id).user_id is None

    citizen.open("/account/orders").follow("Show that the address is mine")
    citizen.press("Send the code")
    citizen.press("Go on", **{"Six digits": code_for(app, "lin@example.cn")})
    citizen.open("/account/orders").press("Take them into my account").sees(mine.number)


def _guard(visitor) -> dict[str, str]:
    form = visitor.page.find("form", action="/account/name")
    return {each["name"]: each.get("value", "") for each in form.find_all("input")}


def test_an_orders_address_can_be_found_by_its_hash_and_the_check_says_when_not(radish, db):
    [check] = [each for each in CHECKS if each.name == "sales.mail_hashes"]
    with given(db) as session:
        made = order(session, radish, email="lin@example.cn")
    with db.writing() as session:
        assert session.get(Order, made.id).email_hash == keyed_hash("lin@example.cn")
        assert [*check.run(session)] == []
        session.execute(sa.update(Order).values(email_hash="0" * 64))
        assert [each.subject for each in check.run(session)] == [f"order:{made.id}"]


def test_nobody_sees_somebody_elses_orders(app, citizen, lin, radish, db, config):
    with given(db) as session:
        theirs = order(session, radish, user_id=makers.user(session).id)

    citizen.open("/account/orders").does_not_see(theirs.number)
    citizen.open(f"/orders/{theirs.code}", status=404)
    citizen.open(order_address("", config.secret_key, theirs.code))


# --- addresses -----------------------------------------------------------------------------------

HOME = {
    "Recipient": "林溪", "Phone": "138 0013 8000", "Province, city, district": "重庆市渝北区",
    "Street, house, door": "松牌路8号2-1", "What you call it": "家",
}  # fmt: skip


def add(citizen, **more):
    return citizen.open("/account/addresses").press("Keep this address", **(HOME | more))


def kept(db) -> list[tuple[str, str, bool]]:
    with db.reading() as session:
        rows = session.scalars(sa.select(SavedAddress).order_by(SavedAddress.id))
        return [(each.label, each.phone, each.is_default) for each in rows]


def test_the_first_address_is_the_first_and_another_may_become_it(citizen, db):
    add(citizen).sees("The address is kept.", "家", "13800138000", "first choice")
    add(citizen, **{"What you call it": "父母", "Street, house, door": "天山路1号"})
    assert kept(db) == [("家", "13800138000", True), ("父母", "13800138000", False)]

    citizen.open("/account/addresses").follow("Edit 父母")
    citizen.press("Keep the change", Phone="13900139000", is_default="yes")

    assert kept(db) == [("家", "13800138000", False), ("父母", "13900139000", True)]


def test_the_same_address_twice_is_one(citizen, db):
    add(citizen)
    add(citizen, **{"What you call it": "again"})

    assert len(kept(db)) == 1


def test_a_deleted_address_is_gone_and_can_be_put_back(citizen, db):
    add(citizen)
    add(citizen, **{"What you call it": "父母", "Street, house, door": "天山路1号"})

    citizen.open("/account/addresses").press("Delete").sees("Deleted: 林溪")
    assert [label for label, _, _ in kept(db)] == ["父母"]
    assert kept(db)[0][2], "the other is the first one now"

    citizen.press("Put it back").sees("The address is back.")
    assert {label for label, _, _ in kept(db)} == {"父母", "家"}
    with db.reading() as session:
        assert [*audit.verify(session)] == []


def test_what_travels_to_put_it_back_is_sealed_and_nobody_elses(app, citizen, db):
    add(citizen)
    citizen.open("/account/addresses").press("Delete")
    undo = citizen.page.find(attrs={"name": "undo"})["value"]
    other = person(app, somebody(db))

    other.open(f"/account/addresses?undo={undo}").does_not_see("林溪")
    other.open("/account/addresses?undo=rubbish!").sees("No address yet")
    assert "138" not in undo


def test_a_wrong_address_is_said_at_the_field_and_kept(citizen, db):
    add(citizen, status=422, Phone="12345", **{"Province, city, district": "月球"})

    citizen.sees("Enter a phone number with 11 digits", "Write province, city and district")
    assert citizen.page.find(id="f-detail")["value"] == "松牌路8号2-1"
    assert kept(db) == []


def test_nobody_changes_or_deletes_somebody_elses_address(app, citizen, db):
    add(citizen)
    with db.reading() as session:
        key = session.scalar(sa.select(SavedAddress.id))
    other = person(app, somebody(db))
    add(other, **{"What you call it": "theirs"})

    other.open(f"/account/addresses/{key}", status=404)
    form = other.open("/account/addresses").page.find("form", action=lambda a: "delete" in str(a))
    data = {each["name"]: each.get("value", "") for each in form.find_all("input")}
    answer = other.client.post(f"/account/addresses/{key}/delete", data=data)

    assert answer.status_code == 404
    assert len(kept(db)) == 2


def test_the_book_is_full_at_twenty(citizen, db):
    with given(db) as session:
        user_id = session.scalar(sa.select(User.id))
        for n in range(MOST_ADDRESSES):
            session.add(
                SavedAddress(
                    user_id=user_id, label="", recipient="林", phone="1", place="x", detail=str(n),
                    is_default=n == 0, **makers.stamp(COMMAND, makers.NOON),
                )
            )  # fmt: skip

    add(citizen, status=409).sees("At most 20 addresses.")


def test_phones_and_streets_are_sealed_in_the_database(citizen, db):
    add(citizen)
    with db.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM saved_addresses")).mappings().one()

    content = b" ".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode()
                        for v in row.values())  # fmt: skip
    for secret in ("13800138000", "林溪", "松牌路"):
        assert secret.encode() not in content


# --- checkout ------------------------------------------------------------------------------------


def put_in_basket(visitor, radish):
    visitor.open("/cart")
    token = visitor.page.find(attrs={"name": "csrf_token"})["value"]
    data = {"csrf_token": token, "once": "o" * 24, "pack": str(radish.pack_id)}
    visitor.client.post("/cart", data=data | {"count": "1"})


def test_checkout_opens_with_the_first_address_and_offers_the_others(citizen, radish, db):
    add(citizen)
    add(citizen, **{"What you call it": "父母", "Street, house, door": "天山路1号"})
    put_in_basket(citizen, radish)

    citizen.open("/checkout").sees("From my addresses", "父母")
    assert citizen.page.find(id="f-detail")["value"] == "松牌路8号2-1"
    assert citizen.page.find(id="f-email")["value"] == "lin@example.cn"

    with db.reading() as session:
        other = session.scalars(sa.select(SavedAddress).where(~SavedAddress.is_default)).one()
    citizen.press("Put it into the fields", saved=str(other.id))
    assert citizen.page.find(id="f-detail")["value"] == "天山路1号"


def test_a_guests_checkout_asks_for_no_addresses(app, radish, statements):
    guest = person(app)
    put_in_basket(guest, radish)
    statements.clear()

    guest.open("/checkout").does_not_see("From my addresses", "Keep this address")

    assert not [each for each in statements if "saved_addresses" in each or "employments" in each]

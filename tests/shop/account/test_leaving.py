"""A person takes everything with them and leaves: they are in no row, the books are as before."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.products.models import Product
from kernel import audit
from kernel.actors import WORKER, Role
from kernel.db import Model
from kernel.people import Identity, MailCode, User
from kernel.signing_in import end_sign_ins
from orders.ledger.models import Transfer
from orders.payments import operations as payments
from orders.payments.models import Payment, Refund, RefundKind
from orders.sales import operations as sales
from orders.sales.models import Employment, Order, SavedAddress
from orders.sales.operations import Keep
from orders.shares.models import SplitPart
from shop.account.closing import close_account
from shop.selfcheck import CHECKS
from tests import makers
from tests.shop.account.mailbox import work_off
from tests.web import given, person

NOW = makers.NOON
SECRETS = (
    "林溪", "lin@example.cn", "13855501234", "松牌路", "放门口", "泡烂了", "三年级",
    "陈先生", "文三路", "到门口喊一声", "爸爸生日", "女儿林", "要小的", "林溪工作室",
)  # fmt: skip


@pytest.fixture
def lin(db):
    """A citizen with everything: two orders, a refund, an address, a unit, a known identity."""
    with given(db) as session:
        user = makers.user(session, "林溪", email="lin@example.cn")
        user.email_proven_at = NOW
        radish = makers.sold_product(session, nets=(900_000,))
        contact = makers.contact(recipient="林溪", email="lin@example.cn")
        wish = {"user_id": user.id, "contact": contact, "note": "放门口"}
        share_out(session, radish, wish)
        done = makers.paid_order(session, radish, 2, **wish)
        line = done.lines[0]
        sales.ship_order(
            session, done.id, supplier_id=done.supplier_id, request_key="s", by=WORKER, now=NOW
        )
        payments.complete_citizen_order(session, done.id, by=WORKER, now=NOW)
        sales.review_line(
            session, line.id, stars=5, text="很脆", place="渝北", by=makers.acting(user),
            now=NOW,
        )  # fmt: skip
        refund = payments.refund_order_lines(
            session, done.id, {line.id: line.quantity // 2}, kind=RefundKind.QUALITY,
            reason="泡烂了", request_key="r", by=makers.acting(user), now=NOW,
        )  # fmt: skip
        payments.record_refund(
            session, refund.id, provider_id="re_1", status="succeeded", by=WORKER, now=NOW
        )
        sales.keep_address(
            session, user.id,
            Keep(label="父母", recipient="林溪", phone="13855501234", place="重庆市渝北区",
                 detail="天山路1号"),
            by=makers.acting(user), now=NOW,
        )  # fmt: skip
        unit = makers.organisation(session, "实验小学", kind=makers.OrganisationKind.UNIT)
        code = sales.renew_employer_code(session, unit.id, by=WORKER, now=NOW)
        sales.ask_employer(
            session, user.id, code=code.code, name="林溪", remark="三年级", by=makers.acting(user),
            now=NOW,
        )  # fmt: skip
        session.add(
            Identity(user_id=user.id, issuer="https://id.test", subject="lin-17",
                     **makers.stamp(WORKER, NOW))
        )  # fmt: skip
    return user


def share_out(session, radish, wish) -> None:
    """A group purchase that was placed with a greeting and an invoice in a name, and was paid."""
    friend = sales.Recipient(
        recipient="陈先生", phone="13855505678", address="西湖区文三路 9 号",
        region="330106000000", note="到门口喊一声",
    )  # fmt: skip
    wanted = sales.Wanted(pack_id=makers.pack_of(radish).id, count=1, to=0, note="要小的")
    placing = makers.placing(
        wanted, recipients=[friend], gift=sales.Gift(sender="女儿林", words="爸爸生日"), **wish
    )
    order = sales.place_order(session, placing, by=WORKER, now=NOW)
    payments.ask_invoice(
        session, order.id, title="林溪工作室", tax_number="", by=WORKER, now=NOW
    )  # fmt: skip
    payments.cancel_citizen_order(session, order.id, reason="mind", by=WORKER, now=NOW)


def everything(db) -> str:
    """Whatever stands in any row, read through the models, so that sealed columns are open."""
    found = []
    with db.reading() as session:
        for mapper in Model.registry.mappers:
            names = [each.key for each in mapper.column_attrs]
            for row in session.scalars(sa.select(mapper.class_)):
                found += [str(getattr(row, name)) for name in names]
    return "\n".join(found)


def books(db) -> dict[str, list[tuple]]:
    """What must be as it was: money, goods, days, and what was divided."""
    with db.reading() as session:
        return {
            "orders": session.execute(
                sa.select(Order.id, Order.number, Order.state, Order.goods, Order.total,
                          Order.placed_at, Order.user_id, Order.delivery_region).order_by(Order.id)
            ).all(),
            "payments": session.execute(
                sa.select(Payment.id, Payment.amount, Payment.state).order_by(Payment.id)
            ).all(),
            "refunds": session.execute(
                sa.select(Refund.id, Refund.amount, Refund.state).order_by(Refund.id)
            ).all(),
            "transfers": session.execute(
                sa.select(Transfer.id, Transfer.amount, Transfer.cause).order_by(Transfer.id)
            ).all(),
            "parts": session.execute(
                sa.select(SplitPart.id, SplitPart.amount, SplitPart.household_id)
                .order_by(SplitPart.id)
            ).all(),
        }  # fmt: skip


def wrong(db) -> list[str]:
    with db.reading() as session:
        found = [str(each) for each in audit.verify(session)]
        found += [f"{c.name} {d.subject} {d.sentence}" for c in CHECKS for d in c.run(session)]
    return found


# --- taking it away ------------------------------------------------------------------------------


def test_a_person_takes_everything_with_them(app, lin, db, statements):
    visitor = person(app, lin).open("/account/data")
    data = {"csrf_token": visitor.page.find(attrs={"name": "csrf_token"})["value"]}

    answer = visitor.client.post("/account/data/file", data=data)

    assert answer.mimetype == "application/zip"
    assert "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    parts = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert parts["account.json"]["email"] == "lin@example.cn"
    shared, order = parts["orders.json"]
    assert shared["sent_to"][0]["recipient"] == "陈先生"
    assert shared["invoice"] == "林溪工作室"
    assert (order["recipient"], order["note"], len(order["lines"])) == ("林溪", "放门口", 1)
    assert order["refunds"][0]["reason"] == "泡烂了"
    assert order["payments"][0]["state"] == "paid"
    assert parts["addresses.json"][0]["detail"] == "天山路1号"
    assert parts["reviews.json"][0]["text"] == "很脆"
    assert parts["employer.json"][0]["remark"] == "三年级"
    assert parts["sign-ins.json"][0]["browser"] == "test"
    for secret in SECRETS:
        assert any(secret in text for text in files.values()), secret


def test_the_file_costs_the_same_however_much_there_is_and_holds_nobody_elses(
    app, lin, db, statements
):
    visitor = person(app, lin)

    def fetch() -> tuple[int, str]:
        page = visitor.open("/account/data").page
        data = {"csrf_token": page.find(attrs={"name": "csrf_token"})["value"]}
        statements.clear()
        answer = visitor.client.post("/account/data/file", data=data)
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            return len(statements), archive.read("orders.json").decode()

    few, _orders = fetch()
    with given(db) as session:
        radish = session.scalars(sa.select(Product)).first()
        theirs = makers.paid_order(session, radish)
        for _each in range(5):
            makers.paid_order(session, radish, user_id=lin.id)

    many, orders = fetch()
    assert many == few
    assert len(json.loads(orders)) == 7
    assert theirs.number not in orders


# --- leaving -------------------------------------------------------------------------------------


def test_who_leaves_is_in_no_row_any_more_and_the_books_are_as_before(app, lin, db, clock):
    clock.move(days=9)
    assert all(secret in everything(db) for secret in SECRETS)
    before = books(db)
    visitor = person(app, lin)
    visitor.open("/account/data").press("Close my account").sees("Your account is closed on")
    visitor.open("/account/orders").sees("This account is closed on")

    clock.move(days=29)
    work_off(app, "find_accounts_to_close")
    assert "lin@example.cn" in everything(db), "a day too early"
    clock.move(days=1)
    work_off(app, "find_accounts_to_close")

    left = everything(db)
    assert [secret for secret in SECRETS if secret in left] == []
    assert "lin-17" not in left
    assert books(db) == before
    assert wrong(db) == []
    visitor.open("/account")
    assert visitor.path == "/sign-in"
    with db.reading() as session:
        assert session.scalars(sa.select(Order.recipient)).all() == ["已注销"] * 2
        for model in (SavedAddress, Identity, MailCode):
            assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 0
        assert session.scalars(sa.select(Employment)).one().state.value == "withdrawn"


def test_who_left_can_join_again_as_somebody_new(app, lin, db, clock):
    with db.transaction() as session:
        session.get(User, lin.id).closing_on = (NOW + timedelta(days=9)).date()
        audit.note(session, "test", "test", by=WORKER, now=NOW)
    clock.move(days=10)
    work_off(app, "find_accounts_to_close")
    from tests.shop.account.mailbox import join

    newcomer = person(app)
    join(newcomer, app)

    newcomer.open("/account/orders").sees("No orders yet")


def test_closing_twice_changes_nothing(lin, db, clock):
    later = NOW + timedelta(days=40)
    with db.transaction() as session:
        session.get(User, lin.id).closing_on = later.date()
        assert close_account(session, lin.id, by=WORKER, now=later)
    count = _entries(db)
    with db.transaction() as session:
        assert not close_account(session, lin.id, by=WORKER, now=later)

    assert _entries(db) == count


def _entries(db) -> int:
    with db.reading() as session:
        return audit.head(session)[0]


def test_thinking_again_keeps_everything(app, lin, db, clock):
    clock.move(days=9)
    visitor = person(app, lin)
    visitor.open("/account/data").press("Close my account")

    visitor.open("/account/data").press("Stay after all").sees("Nothing was deleted.")
    clock.move(days=40)
    work_off(app, "find_accounts_to_close")

    assert all(secret in everything(db) for secret in SECRETS)


def test_open_orders_say_what_is_waited_for_and_nothing_is_deleted(app, lin, db, clock):
    visitor = person(app, lin)
    visitor.open("/account/data").sees("may be returned until 30 Nov 2026")
    with given(db) as session:
        radish = session.scalars(sa.select(Product)).first()
        on_its_way = makers.paid_order(session, radish, user_id=lin.id)
    clock.move(days=9)
    visitor.open("/account/data").sees(on_its_way.number, "is not completed")
    assert not visitor.page.find("button", string="Close my account")

    form = {each["name"]: each.get("value", "") for each in visitor.page.select("main input")}
    answer = visitor.client.post("/account/data/leave", data=form)

    assert answer.status_code == 409
    assert on_its_way.number in answer.text
    with db.reading() as session:
        assert session.get(User, lin.id).closing_on is None


def test_an_order_placed_while_thinking_keeps_the_account_until_it_is_over(app, lin, db, clock):
    clock.move(days=9)
    person(app, lin).open("/account/data").press("Close my account")
    with given(db) as session:
        radish = session.scalars(sa.select(Product)).first()
        makers.paid_order(session, radish, user_id=lin.id, now=clock())
    clock.move(days=31)
    work_off(app, "find_accounts_to_close")

    assert "lin@example.cn" in everything(db)


def test_who_acts_for_others_cannot_leave_by_themselves(app, db):
    with given(db) as session:
        clerk = makers.member(session, makers.organisation(session), Role.ACCOUNTANT)
    visitor = person(app, clerk).open("/account/data")
    visitor.sees("You act for others here", "水市镇联合社")

    form = {each["name"]: each.get("value", "") for each in visitor.page.select("main input")}
    answer = visitor.client.post("/account/data/leave", data=form)

    assert answer.status_code == 409
    with db.transaction() as session:
        assert session.get(User, clerk.id).closing_on is None
        end_sign_ins(session, clerk.id, by=WORKER, now=NOW)

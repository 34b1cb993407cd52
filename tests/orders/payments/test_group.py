"""One payer, many people: a sheet looked at row by row, one order, parcels that leave alone."""

from __future__ import annotations

import io

import pytest
import python_calamine
import sqlalchemy as sa
import xlsxwriter

from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.money import Money
from kernel.people import Organisation
from orders.payments.models import Payment, Refund
from orders.payments.operations import cancel_citizen_order
from orders.sales.models import (
    Basket,
    Order,
    OrderFreight,
    OrderLine,
    OrderRecipient,
    OrderState,
    Shipment,
)
from orders.sales.rules.freight import Zone
from shop.selfcheck import run_all
from tests import makers
from tests.orders.payments.test_buying import (
    fill_basket,
    order_of,
    page_of,
    press_raw,
    work,
)
from tests.web import given, person

PEOPLE = [
    ["林女士", "13855501234", "重庆市渝北区龙山街道松牌路 8 号", "", "先打电话"],
    ["陈先生", "13855505678", "浙江省杭州市西湖区文三路 9 号", "2", ""],
]
PAYER = {"Your name": "工会王", "Your phone": "13855509999", "no_return": "yes"}


def sheet(rows, pack_id) -> bytes:
    """What a person makes of the template in Excel; phones as numbers, as Excel likes it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet()
    page.write_row(0, 0, ["单位：水市小学工会"])
    page.write_row(1, 0, ["收件人", "手机号", "收货地址", f"萝卜 [{pack_id}]", "留言"])
    for at, row in enumerate(rows, 2):
        page.write_row(at, 0, [int(cell) if cell.isdigit() else cell for cell in row])
    book.close()
    return file.getvalue()


def send(citizen, radish, rows, status=303):
    citizen.open("/group")
    form, _ = citizen._form_with("Look at it")
    data = {each["name"]: each.get("value", "") for each in form.find_all("input")}
    data["file"] = (io.BytesIO(sheet(rows, radish.pack_id)), "people.xlsx")
    answer = citizen.client.post("/group/people", data=data)
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return citizen.open("/group") if status == 303 else citizen._show(answer, status)


def with_freight(db, radish) -> None:
    with given(db) as session:
        makers.freight(
            session,
            session.get_one(Product, radish.id).supplier_id,
            Zone(region="500000000000", first_g=1000, first_fee=Money(600), step_fee=Money(100)),
            Zone(region="330000000000", first_g=1000, first_fee=Money(900), step_fee=Money(200)),
            Zone(region="650000000000", served=False),
        )


def place_group(app, citizen, provider, radish) -> str:
    fill_basket(citizen, radish)
    send(citizen, radish, PEOPLE)
    form, _ = citizen._form_with("Pay ¥124.00")
    return press_raw(citizen, form, PAYER)


def keeper_of(db, radish):
    with given(db) as session:
        supplier = session.get_one(Supplier, session.get_one(Product, radish.id).supplier_id)
        body = session.get_one(Organisation, supplier.organisation_id)
        return makers.member(session, body, Role.STOREKEEPER, name="陶库管")


def test_one_order_carries_a_parcel_for_each_and_is_paid_once(app, db, citizen, provider, radish):
    with_freight(db, radish)

    url = place_group(app, citizen, provider, radish)

    # Three packs of ¥29; 5 kg to Chongqing cost ¥10 and 10 kg to Zhejiang ¥27.
    order = order_of(db)
    with db.reading() as session:
        people = list(session.scalars(sa.select(OrderRecipient).order_by(OrderRecipient.position)))
        lines = list(session.scalars(sa.select(OrderLine).order_by(OrderLine.position)))
        [carried] = session.scalars(sa.select(OrderFreight))
        [payment] = session.scalars(sa.select(Payment))
        [basket] = session.scalars(sa.select(Basket))
    assert [(each.recipient, each.phone) for each in people] == [
        ("林女士", "13855501234"),
        ("陈先生", "13855505678"),
    ]
    assert [(line.recipient_id, line.count) for line in lines] == [
        (people[0].id, 1),
        (people[1].id, 2),
    ]
    assert order.goods == Money(8_700)
    assert order.freight == carried.amount == people[0].freight + people[1].freight
    assert payment.amount == order.total == order.goods + order.freight
    assert basket.people is None, "what was ordered is not kept a second time"

    provider.pay(url)
    provider.deliver(app.test_client())
    page_of(citizen, app, order).sees("For 2 people", "林女士", "陈先生", "to come")
    citizen.does_not_see("13855501234")
    with db.reading() as session:
        assert not any(each.differences for each in run_all(session))


def test_the_people_are_sealed_in_the_database(app, db, citizen, provider, radish):
    with_freight(db, radish)
    fill_basket(citizen, radish)
    send(citizen, radish, PEOPLE)
    with db.reading() as session:
        kept = session.execute(sa.text("SELECT people FROM baskets")).scalar_one()
    assert "林女士".encode() not in bytes(kept)
    form, _ = citizen._form_with("Pay ¥124.00")
    press_raw(citizen, form, PAYER)
    with db.reading() as session:
        for row in session.execute(
            sa.text("SELECT recipient, phone, address FROM order_recipients")
        ):
            for cell in row:
                assert "林".encode() not in bytes(cell)
                assert b"138555" not in bytes(cell)


def test_wrong_rows_are_named_nothing_is_ordered_and_the_corrected_sheet_goes_through(
    app, db, citizen, provider, radish
):
    with_freight(db, radish)
    fill_basket(citizen, radish)
    send(
        citizen,
        radish,
        [
            PEOPLE[0],
            ["陈先生", "1385550", "浙江省杭州市西湖区文三路 9 号", "", ""],
            PEOPLE[0],
            ["远方", "13855507777", "新疆维吾尔自治区乌鲁木齐市天山区解放路 1 号", "", ""],
        ],
    )
    citizen.sees(
        "3 rows are not right yet",
        "1385550 is no phone number",
        "The same person at the same address as in row 3.",
        "does not send to this place",
    )
    citizen.does_not_see("Who pays")
    assert citizen.open("/group").sees("3 rows are not right yet"), "the sheet is kept"

    marked = citizen.client.get("/group/remarks.xlsx").get_data()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(marked))
    rows = book.get_sheet_by_index(0).to_python()
    assert [bool(row[-1]) for row in rows[2:6]] == [False, True, True, True]

    send(citizen, radish, PEOPLE).sees("2 people, all rows are right.", "Who pays")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Order.id))) == 0


def test_a_file_that_is_no_sheet_of_people_says_so_and_the_one_before_stays(
    app, db, citizen, provider, radish
):
    fill_basket(citizen, radish)
    send(citizen, radish, PEOPLE)
    send(citizen, radish, [], status=422).sees("There is nothing below the headings.")
    citizen.open("/group").sees("2 people, all rows are right.")


def test_the_template_has_a_column_for_each_pack_and_comes_back_readable(
    app, db, citizen, provider, radish
):
    fill_basket(citizen, radish)
    content = citizen.client.get("/group/template.xlsx").get_data()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    heads = book.get_sheet_by_index(0).to_python()[1]
    assert heads[:3] == ["收货人", "手机号", "收货地址"]
    assert heads[3].endswith(f"[{radish.pack_id}]")


def test_each_parcel_leaves_with_its_own_label_and_number(app, db, citizen, provider, radish):
    with_freight(db, radish)
    url = place_group(app, citizen, provider, radish)
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)
    desk = person(app, keeper_of(db, radish))

    desk.open(f"/coop/orders/{order.id}").sees("林女士", "13855501234", "先打电话")
    first = desk.page.find("input", {"name": "to"})["value"]
    desk.press("Ship it", tracking="SF1001").sees("has left")
    desk.sees("林女士")
    desk.open(f"/coop/orders/{order.id}").sees("陈先生", "13855505678", "has left")
    assert desk.page.find("input", {"name": "to"})["value"] != first
    desk.press("Ship it", tracking="SF1002")

    with db.reading() as session:
        assert session.get_one(Order, order.id).state is OrderState.SHIPPED
        assert session.scalars(sa.select(Shipment.tracking).order_by(Shipment.id)).all() == [
            "SF1001",
            "SF1002",
        ]
    page_of(citizen, app, order).sees("SF1001", "SF1002")


def test_many_at_once_become_one_shipment_for_each_of_the_people(
    app, db, citizen, provider, radish
):
    with_freight(db, radish)
    url = place_group(app, citizen, provider, radish)
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)
    desk = person(app, keeper_of(db, radish))

    desk.open(f"/coop/papers/packing?order={order.id}").sees("林女士", "陈先生", "先打电话")
    desk.open(f"/coop/shipping?order={order.id}").press("Ship them all")
    desk.again()

    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 2
        assert session.get_one(Order, order.id).state is OrderState.SHIPPED


def test_cancelling_gives_back_every_fen_and_every_gram(app, db, citizen, provider, radish, clock):
    with_freight(db, radish)
    url = place_group(app, citizen, provider, radish)
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)

    with db.transaction() as session:
        cancel_citizen_order(
            session, order.id, reason="by the buyer", by=makers.SOMEBODY, now=clock()
        )
    work(app, clock)

    with db.reading() as session:
        [refund] = session.scalars(sa.select(Refund))
        assert refund.amount == order.total
        assert session.get_one(Order, order.id).state is OrderState.CANCELLED
        assert not any(each.differences for each in run_all(session))


@pytest.mark.parametrize("number", [3, 30])
def test_looking_at_a_sheet_costs_the_same_however_many_people(
    app, db, citizen, provider, radish, statements, number
):
    fill_basket(citizen, radish)
    rows = [[f"某{n}", f"138555{n:05}", PEOPLE[0][2], "", ""] for n in range(number)]
    send(citizen, radish, rows)
    statements.clear()
    citizen.open("/group")
    assert len(statements) <= 14

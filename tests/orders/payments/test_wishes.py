"""What a buyer may ask for beside the goods, and what is remembered, limited and taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from catalog.products.models import Pack, Product
from catalog.products.operations import put_on_sale
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.codes import uscc_with_check
from kernel.money import Money
from kernel.outbox import run_one
from kernel.people import Organisation
from orders.payments.models import BankLine, BankStatement, Payment, PaymentState, Refund
from orders.payments.models.invoices import InvoiceWish
from orders.payments.operations import close_unpaid_orders, import_statement
from orders.payments.rules.statements import StatementRow
from orders.sales.models import (
    Basket,
    BasketLine,
    DayPart,
    FreightTemplate,
    Order,
    OrderLine,
    OrderState,
)
from orders.sales.operations import forget_baskets, limit_pack, publish_freight, save_point
from orders.sales.rules.days import Offer
from orders.sales.rules.freight import Zone
from shop.selfcheck import run_all
from tests import makers
from tests.orders.payments.test_buying import (
    ADDRESS,
    check_out,
    fill_basket,
    order_of,
    page_of,
    press_raw,
    work,
)
from tests.person import _filled
from tests.web import given, person


def supplier_id(db, radish) -> int:
    with db.reading() as session:
        return session.get_one(Product, radish.id).supplier_id


def member(db, radish, role):
    with given(db) as session:
        supplier = session.get_one(Supplier, session.get_one(Product, radish.id).supplier_id)
        body = session.get_one(Organisation, supplier.organisation_id)
        return makers.member(session, body, role)


def count(db, model) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count(model.id)))


def limited(db, radish, most, days) -> None:
    supplier = supplier_id(db, radish)
    with given(db) as session:
        limit_pack(
            session, radish.pack_id, most, days, supplier_id=supplier,
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip


# Basket


def test_what_was_taken_out_is_put_back_with_one_press(app, db, citizen, radish):
    fill_basket(citizen, radish, "3")
    citizen.open("/cart").press("Change the number", note="要小一点的")
    citizen.press(_take_out(citizen))
    citizen.sees("is out of the basket", "Nothing in the basket yet")
    citizen.press("Put it back in the basket")
    with db.reading() as session:
        [line] = session.scalars(sa.select(BasketLine))
        assert (line.count, line.note) == (3, "要小一点的")


def _take_out(citizen) -> str:
    [words] = [
        " ".join(each.get_text(" ").split())
        for each in citizen.page.find_all("button")
        if "Take out" in each.get_text()
    ]
    return words


def test_a_word_about_a_line_reaches_the_one_who_packs(app, db, citizen, provider, radish):
    fill_basket(citizen, radish)
    citizen.open("/cart").press("Change the number", note="要小一点的")
    url = check_out(citizen, radish)
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)
    with db.reading() as session:
        assert session.scalars(sa.select(OrderLine.note)).all() == ["要小一点的"]
    desk = person(app, member(db, radish, Role.STOREKEEPER))
    desk.open(f"/coop/orders/{order.id}").sees("要小一点的")
    desk.open(f"/coop/papers/packing?order={order.id}").sees("要小一点的")


def test_a_basket_is_remembered_for_ninety_days_and_not_longer(app, db, citizen, radish, clock):
    fill_basket(citizen, radish)
    cookie = next(each for each in citizen.client._cookies.values() if each.key == "sutian")
    assert cookie.max_age is None or cookie.max_age >= 89 * 86_400
    assert app.permanent_session_lifetime == timedelta(days=90)
    with db.transaction() as session:
        assert forget_baskets(session, now=clock() + timedelta(days=89)) == 0
    assert count(db, BasketLine) == 1
    with db.transaction() as session:
        assert forget_baskets(session, now=clock() + timedelta(days=91)) == 1
    assert (count(db, Basket), count(db, BasketLine)) == (0, 0)
    citizen.open("/cart").sees("Nothing in the basket yet")


def test_each_buyer_may_have_only_so_many_by_phone_and_by_browser(
    app, db, citizen, provider, radish, clock
):
    limited(db, radish, 2, 7)
    check_out(citizen, radish, "2")

    # The same browser sees it in the basket; another one with the same phone hears it when placing.
    fill_basket(citizen, radish, "1")
    citizen.open("/cart").sees("each buyer may have 2 in 7 days; for you 0 are left")
    other = person(app, lang="en")
    fill_basket(other, radish, "1")
    other.open("/cart").sees("Each buyer may have 2 in 7 days, by phone number.")
    before = count(db, Order)
    other.open("/checkout").press("Pay ¥29.00", status=409, **ADDRESS)
    other.sees("for you 0 are left")
    assert count(db, Order) == before
    assert other.page.find("input", {"name": "recipient"})["value"] == "林女士"

    # A week later it may be bought again.
    clock.move(days=7)
    with db.transaction() as session:
        close_unpaid_orders(session, now=clock())
    fill_basket(other, radish, "2")
    form, _ = other.open("/checkout")._form_with("Pay ¥58.00")
    press_raw(other, form, ADDRESS)
    assert count(db, Order) == before + 1


def test_a_closed_order_gives_the_buyers_part_back(app, db, citizen, provider, radish, clock):
    limited(db, radish, 1, 1)
    check_out(citizen, radish)
    clock.move(minutes=16)
    with db.transaction() as session:
        close_unpaid_orders(session, now=clock())
    check_out(citizen, radish)
    assert count(db, Order) == 2


def test_the_store_sets_limits_and_hears_what_is_half(app, db, radish):
    desk = person(app, member(db, radish, Role.MANAGER)).open("/coop/buyer-limits")
    most, days = f"most-{radish.pack_id}", f"days-{radish.pack_id}"
    desk.press("Save", status=422, **{most: "２", days: ""}).sees("how many, and in how many days")
    desk.open("/coop/buyer-limits").press("Save", **{most: "２", days: "7"}).sees("Kept.")
    with db.reading() as session:
        pack = session.get_one(Pack, radish.pack_id)
        assert (pack.most_per_buyer, pack.limit_days) == (2, 7)


# Checkout


def test_a_present_carries_its_greeting_and_no_price(app, db, citizen, provider, radish):
    url = check_out(citizen, radish, **{"From whom": "女儿", "Greeting": "爸爸生日快乐"})
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)
    page_of(citizen, app, order).sees("爸爸生日快乐", "A present from 女儿")
    desk = person(app, member(db, radish, Role.STOREKEEPER))
    slip = desk.open(f"/coop/papers/packing?order={order.id}")
    slip.sees("爸爸生日快乐", "A present from 女儿").does_not_see("¥")
    with db.reading() as session:
        kept = session.execute(sa.text("SELECT gift_words FROM orders")).scalar_one()
        assert "生日".encode() not in bytes(kept)


def test_a_companys_invoice_is_asked_for_while_ordering_with_a_right_tax_number(
    app, db, citizen, provider, radish
):
    number = uscc_with_check("91500114MA5U0000X")
    fill_basket(citizen, radish)
    asked = {"invoice": "company", "Name on the invoice": "水市茶业有限公司"}
    citizen.open("/checkout")
    wrong = {**ADDRESS, **asked, "Tax number": number[:-1] + ("0" if number[-1] != "0" else "1")}
    citizen.press("Pay ¥29.00", status=422, **wrong).sees("The last character does not match")
    assert count(db, Order) == count(db, InvoiceWish) == 0

    form, _ = citizen._form_with("Pay ¥29.00")
    url = press_raw(citizen, form, {"Tax number": number.lower()})
    provider.pay(url)
    provider.deliver(app.test_client())
    with db.reading() as session:
        [wish] = session.scalars(sa.select(InvoiceWish))
    assert (wish.title, wish.tax_number) == ("水市茶业有限公司", number)
    order = order_of(db)
    page_of(citizen, app, order).sees("An invoice was asked for in the name of 水市茶业有限公司")
    desk = person(app, member(db, radish, Role.ACCOUNTANT))
    desk.open("/coop/citizen-invoices").sees("水市茶业有限公司", number)


def offering(db, radish, weekdays="1234567", *, halves=True) -> None:
    with given(db) as session:
        publish_freight(
            session,
            session.get_one(Product, radish.id).supplier_id,
            (Zone(region=""),),
            valid_from=makers.TODAY,
            days=Offer(weekdays, halves, 2),
            by=makers.SOMEBODY,
            now=makers.NOON,
        )


def test_a_chosen_day_is_kept_and_stands_on_the_stores_list(app, db, citizen, provider, radish):
    offering(db, radish, "5")
    friday = date(2026, 11, 27)
    fill_basket(citizen, radish)
    form, _ = citizen.open("/checkout")._form_with("Pay ¥29.00")
    chosen = [
        each["value"] for each in citizen.page.find("select", {"name": "day"}).find_all("option")
    ]
    assert chosen[:4] == ["", "2026-11-27", "2026-11-27:morning", "2026-11-27:afternoon"]
    url = press_raw(citizen, form, {**ADDRESS, "day": "2026-11-27:morning"})
    provider.pay(url)
    provider.deliver(app.test_client())

    order = order_of(db)
    assert (order.deliver_on, order.day_part) == (friday, DayPart.MORNING)
    page_of(citizen, app, order).sees("27 Nov 2026", "Morning")
    desk = person(app, member(db, radish, Role.STOREKEEPER))
    desk.open(f"/coop/orders/{order.id}").sees("27 Nov 2026", "Morning")


def test_the_store_says_on_which_days_it_brings_goods(app, db, radish):
    desk = person(app, member(db, radish, Role.MANAGER)).open("/coop/freight")
    row = {"region-0": "其他地区", "first_g-0": "1", "first_fee-0": "6"}
    row |= {"step_g-0": "1", "step_fee-0": "1", "weekday-5": "yes", "weekday-2": "yes"}
    desk.press("Let it hold", status=422, **row, lead_days="11").sees("from 0 to 10")
    desk.open("/coop/freight").press("Let it hold", **row, lead_days="３")
    with db.reading() as session:
        [template] = session.scalars(sa.select(FreightTemplate))
        assert (template.weekdays, template.lead_days, template.halves) == ("25", 3, False)


def test_a_day_that_nobody_offers_is_refused_and_nothing_is_placed(
    app, db, citizen, provider, radish
):
    offering(db, radish, "5", halves=False)
    fill_basket(citizen, radish)
    for day in ("2026-11-26", "2026-11-27:morning"):
        citizen.open("/checkout").press("Pay ¥29.00", status=409, **{**ADDRESS, "day": day})
        citizen.sees("cannot be brought on this day")
    citizen.open("/checkout").press("Pay ¥29.00", status=422, **{**ADDRESS, "day": "gestern"})
    assert count(db, Order) == 0


def test_a_pick_up_point_is_chosen_and_its_words_are_frozen(app, db, citizen, provider, radish):
    supplier = supplier_id(db, radish)
    with given(db) as session:
        for name in ("一号门市", "二号门市"):
            point = save_point(
                session, supplier, name=name, address="水市乡政府街 1 号", hours="每天 9–18 点",
                by=makers.SOMEBODY, now=makers.NOON,
            )  # fmt: skip
    fill_basket(citizen, radish)
    form, _ = citizen.open("/checkout").sees("二号门市", "每天 9–18 点")._form_with("Pay ¥29.00")
    url = press_raw(
        citizen, form, {**ADDRESS, "delivery": "pick_up", f"point-{supplier}": str(point.id)}
    )
    provider.pay(url)
    provider.deliver(app.test_client())
    order = order_of(db)
    assert order.pick_up
    assert "二号门市" in order.address
    assert "一号门市" not in order.address
    with given(db) as session:
        save_point(
            session, supplier, point_id=point.id, name="三号门市", address="别处", hours="不开",
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
    page_of(citizen, app, order).sees("二号门市", "每天 9–18 点")
    desk = person(app, member(db, radish, Role.STOREKEEPER))
    desk.open(f"/coop/orders/{order.id}").sees("二号门市")
    desk.open("/coop/pick-up-points").sees("三号门市")


def test_counties_are_suggested_while_typing(citizen):
    found = citizen.client.get("/checkout/places?place=渝北").get_data(as_text=True)
    assert 'value="重庆市渝北区"' in found
    assert citizen.client.get("/checkout/places?place=").get_data(as_text=True).strip() == ""


def test_the_time_that_is_left_is_told_to_the_page(app, db, citizen, provider, radish):
    check_out(citizen, radish)
    page_of(citizen, app, order_of(db)).sees("Your goods are set aside until")
    told = citizen.page.find(attrs={"data-hold": True})
    assert told["data-hold"] == order_of(db).hold_until.isoformat()


# Bank transfer


@pytest.fixture
def dear(db):
    """A pack so dear that two of them are more than the provider takes."""
    with given(db) as session:
        made = makers.product(session, on_sale=False)
        pack = makers.pack(session, made, price=Money(99_999_999))
        makers.shares.publish_rule(
            session, made.id, model=makers.BenefitModel.BUY_OUT, retained_bp=0, resolution="",
            costs=[], valid_from=makers.TODAY, by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
        makers.stock(session, made, (50_000,))
        put_on_sale(session, made.id, by=makers.SOMEBODY, now=makers.NOON)
        made.pack_id = pack.id
    return made


TWO = Money(199_999_998)


def order_dear(citizen, dear) -> None:
    fill_basket(citizen, dear, "2")
    words = "Order, and pay ¥1,999,999.98 by bank transfer"
    citizen.open("/checkout").press(words, **ADDRESS)


def transferred(db, dear, amount, memo) -> int:
    with given(db) as session:
        import_statement(
            session,
            supplier_id=session.get_one(Product, dear.id).supplier_id,
            name="a.csv",
            sha256=memo.rjust(64, "0"),
            rows=[
                StatementRow(
                    on=makers.TODAY, amount=amount, counterparty="某公司", account_last4="",
                    memo=memo, bank_ref=f"R{memo}",
                )
            ],
            by=makers.SOMEBODY,
            now=makers.NOON,
        )  # fmt: skip
    with db.reading() as session:
        return session.scalars(sa.select(BankLine.id).order_by(BankLine.id.desc())).first()


def test_a_large_order_waits_three_days_for_its_transfer_and_is_recognised(
    app, db, citizen, provider, dear, clock
):
    order_dear(citizen, dear)
    order = order_of(db)
    citizen.sees("5001140012345678", order.number, "¥1,999,999.98")
    work(app, clock)
    assert order.state is OrderState.AWAITING_PAYMENT
    assert order.hold_until == clock() + timedelta(days=3)

    clock.move(days=2)
    with db.transaction() as session:
        assert close_unpaid_orders(session, now=clock()) == []
    transferred(db, dear, TWO, f"货款 {order.number}")
    desk = person(app, member(db, dear, Role.ACCOUNTANT)).open("/coop/bank")
    desk.press("Pays this citizen's order").sees("The payment is recognised.")
    desk.again()

    with db.reading() as session:
        [payment] = session.scalars(sa.select(Payment))
        assert (payment.state, payment.received) == (PaymentState.PAID, TWO)
        assert session.get_one(Order, order.id).state is OrderState.TO_SHIP
        assert not any(each.differences for each in run_all(session))
    page_of(citizen, app, order).sees("Being packed", "Paid by bank transfer")


def test_less_than_the_sum_pays_nothing_and_says_so(app, db, citizen, provider, dear):
    order_dear(citizen, dear)
    order = order_of(db)
    transferred(db, dear, TWO - Money(1), order.number)
    desk = person(app, member(db, dear, Role.ACCOUNTANT)).open("/coop/bank")
    desk.press("Pays this citizen's order", status=409).sees("¥1,999,999.97 came")
    assert order_of(db).state is OrderState.AWAITING_PAYMENT


def test_a_transfer_after_the_hold_is_taken_in_and_goes_back_by_hand(
    app, db, citizen, provider, dear, clock
):
    order_dear(citizen, dear)
    order = order_of(db)
    clock.move(days=4)
    work(app, clock)
    with db.transaction() as session:
        close_unpaid_orders(session, now=clock())
    work(app, clock)
    page_of(citizen, app, order).sees("Closed")
    transferred(db, dear, TWO, order.number)
    desk = person(app, member(db, dear, Role.ACCOUNTANT)).open("/coop/bank")
    desk.press("Pays this citizen's order")
    services = app.extensions["services"]
    while run_one(services, "test", clock()):
        pass

    with db.reading() as session:
        [refund] = session.scalars(sa.select(Refund))
        assert (refund.amount, refund.state.value) == (TWO, "failed"), "a person sends it back"
        assert session.get_one(Order, order.id).state is OrderState.CLOSED
        assert not any(each.differences for each in run_all(session))


def test_goods_of_two_cooperatives_are_not_paid_with_one_transfer(
    app, db, citizen, provider, dear, radish
):
    fill_basket(citizen, dear, "2")
    fill_basket(citizen, radish, "1")
    citizen.open("/checkout").press(
        "Order, and pay ¥2,000,028.98 by bank transfer", status=409, **ADDRESS
    )
    citizen.sees("to one cooperative's account")
    assert (count(db, Order), count(db, BankStatement)) == (0, 0)


def test_an_order_that_waits_for_its_transfer_is_not_given_up_for_the_next_one(
    app, db, citizen, provider, dear
):
    order_dear(citizen, dear)
    waiting = order_of(db)
    fill_basket(citizen, dear, "9")
    citizen.open("/cart").sees("Only 8 left.")
    citizen.open("/cart")
    assert citizen.client.get("/checkout").status_code == 303, "first what is short is put right"
    assert order_of(db).id == waiting.id
    assert order_of(db).state is OrderState.AWAITING_PAYMENT


def test_the_provider_may_be_away_and_the_order_still_stands(app, db, citizen, provider, radish):
    fill_basket(citizen, radish)
    citizen.open("/checkout")
    form, _ = citizen._form_with("Pay ¥29.00")
    data = {**_filled(form), **{citizen._field_name(form, k): [v] for k, v in ADDRESS.items()}}
    provider.server.shutdown()
    provider.server.server_close()

    answer = citizen.client.post("/checkout", data=data, follow_redirects=True)
    citizen._show(answer, 200).sees("Waiting for your payment", "Pay ¥29.00")
    [payment] = payments(db)
    assert (payment.state, payment.session_id) == (PaymentState.STARTED, None)
    assert count(db, Order) == 1


def payments(db) -> list[Payment]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Payment)))

"""One page, no account: where to, who, and then the provider's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, total
from kernel.web.access import actor, public
from kernel.web.i18n import chosen_language
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.payments.forms import (
    FETCHED,
    Checkout,
    Wishes,
    fill_from,
    read_checkout,
    region_typed,
)
from orders.payments.gateway import MOST
from orders.payments.operations import TRANSFER_HOLD, ask_invoice, cancel_citizen_order
from orders.payments.views.account import (
    chosen_address,
    employer_asked,
    first_address,
    keep_asked,
    offered,
)
from orders.payments.views.paying import payment_address, start
from orders.sales.models import Basket, BuyerKind, DayPart, FreightTemplate, Order, OrderState
from orders.sales.operations import (
    Contact,
    OutOfStock,
    Placing,
    Wanted,
    empty_basket,
    place_order,
    tell_buyer,
)
from orders.sales.queries import basket_of, places_like, places_named_in
from orders.sales.queries.freight import (
    Carriage,
    Item,
    carriage_from,
    offers_of,
    supplier_names,
    template_in_force,
)
from orders.sales.queries.points import chosen_points, points_of
from orders.sales.rules.addresses import Place
from orders.sales.rules.days import days_offered, halves_offered
from orders.sales.rules.packing import SHIP_WITHIN_HOURS
from orders.sales.views.cart import (
    HOLD,
    Row,
    basket_key,
    browser_codes,
    merge,
    my_unpaid_orders,
    remember_order,
    rows_now,
)
from orders.shares.queries import sharing_of

bp = Blueprint("checkout", __name__)

# Without an explicit step in the purchase a seller may not refuse a return (domain.md §3.1).
NO_RETURN = Text("Please confirm that you know how fresh goods are returned.")


@bp.get("/checkout")
@public
def show() -> str | Response:
    merge()
    rows = rows_now()
    if not rows or any(row.remark for row in rows):
        return redirect(url_for("cart.show"), code=303)  # type: ignore[return-value]
    return _page(rows, first_address(), {})


@bp.post("/checkout/freight")
@public
def reckon() -> str | Response:
    """What carriage to the typed place costs; nothing is kept yet."""
    rows = rows_now()
    if not rows:
        return redirect(url_for("cart.show"), code=303)  # type: ignore[return-value]
    return _page(rows, request.form, {})


@bp.post("/checkout/fill")
@public
def fill() -> str | Response:
    """What stands in the pasted line goes into the fields; nothing is kept yet."""
    rows = rows_now()
    if not rows:
        return redirect(url_for("cart.show"), code=303)  # type: ignore[return-value]
    filled = fill_from(request.form, _find_places)
    return _page(rows, chosen_address(filled), {})


@bp.get("/checkout/places")
@public
def places() -> str:
    """Counties that fit what is typed so far, for the list below the field."""
    typed = request.args.get("place", "")[:60]
    return render_template("shop/places.html", places=places_like(session(), typed))


@bp.post("/checkout")
@public
@once
def place() -> Response | tuple[str, int]:
    try:
        asked = read_checkout(request.form, _find_places)
        order = _place(asked, my_unpaid_orders())
    except Invalid as invalid:
        return _page(rows_now(), request.form, invalid.errors), invalid.status
    except Refusal as refusal:
        reasons = refusal.reasons or (refusal.sentence,)
        errors = {f"goods-{n}": reason for n, reason in enumerate(reasons)}
        return _page(rows_now(), request.form, errors), refusal.status
    remember_order(order.code)
    return redirect(payment_address(order), code=303)  # type: ignore[return-value]


def _place(asked: Checkout, unpaid: list[int]) -> Order:
    """The order with its intent to pay, in one transaction; the basket is empty then."""
    with transaction() as work:
        basket = full_basket(work)
        placing = Placing(
            lines=[
                Wanted(pack_id=line.pack_id, count=line.count, note=line.note)
                for line in basket.lines
            ],
            buyer_kind=BuyerKind.CITIZEN,
            contact=_with_points(work, asked, basket) if asked.pick_up else asked.contact,
            request_key=f"form:{request.form['once']}",
            claimed=True,
            state=OrderState.AWAITING_PAYMENT,
            hold_until=now() + HOLD,
            user_id=actor().user_id,
            note=asked.note,
            pick_up=asked.pick_up,
            no_return_agreed=no_return(basket, asked.no_return_agreed),
            deliver_on=asked.deliver_on,
            day_part=asked.day_part,
            gift=asked.wishes.gift,
            browser_codes=browser_codes(),
            locale=chosen_language(),
            credit_organisation_id=employer_asked(work),
        )
        order = place_or_give_back(work, placing, unpaid)
        _refuse_unseen(order, asked)
        letter = start(work, order)
        empty_basket(work, basket)
        keep_wish(work, order, asked.wishes)
        keep_asked(work)
        tell_buyer(work, order, letter, now=now())
    return order


def full_basket(work: Session) -> Basket:
    """What lies in this buyer's basket; refused when it is empty."""
    basket = basket_of(work, basket_key(), actor().user_id)
    if basket is None or not basket.lines:
        raise Refusal(Text("The basket is empty; perhaps it was ordered in another tab."))
    return basket


def no_return(basket: Basket, agreed: bool) -> bool | None:
    """What the buyer confirmed of fresh goods, refused without it; none: there are none."""
    if not any(line.pack.product.fresh for line in basket.lines):
        return None
    if not agreed:
        raise Invalid({"no_return": NO_RETURN})
    return True


def keep_wish(work: Session, order: Order, wishes: Wishes) -> None:
    """In whose name the invoice is to be, if the buyer said so while ordering."""
    if wishes.invoice is not None:
        title, tax_number = wishes.invoice
        ask_invoice(work, order.id, title=title, tax_number=tax_number, by=actor(), now=now())


def _with_points(work: Session, asked: Checkout, basket: Basket) -> Contact:
    """The contact of goods that are fetched: where, and when it is open, in the words of today."""
    points = points_of(work, {line.pack.product.supplier_id for line in basket.lines})
    chosen = {key: request.form.get(f"point-{key}", "") for key in points}
    words = [
        " ".join(filter(None, (each.name, each.address, each.hours, each.phone)))
        for each in chosen_points(points, chosen)
    ]
    return replace(asked.contact, address="：".join(filter(None, (FETCHED, "；".join(words)))))


def place_or_give_back(work: Session, placing: Placing, unpaid: list[int]) -> Order:
    """A buyer's own unpaid order never stands in the way of the next one: it gives its goods
    back, but only if they are needed."""
    try:
        return place_order(work, placing, by=actor(), now=now())
    except OutOfStock:
        if not unpaid:
            raise
    for order_id in unpaid:
        cancel_citizen_order(work, order_id, reason="ordered again", by=actor(), now=now())
    return place_order(work, placing, by=actor(), now=now())


def _refuse_unseen(order: Order, asked: Checkout) -> None:
    """Nobody pays for carriage that the page did not show (lessons.md §1, 44)."""
    if order.freight != asked.freight_seen:
        raise Invalid(
            {
                "place": Text(
                    "Delivery costs %(freight)s; together that is %(total)s. Press again to agree.",
                    freight=order.freight,
                    total=order.total,
                )
            }
        )


def _find_places(text: str) -> list[Place]:
    return places_named_in(session(), text)


def _page(rows: list[Row], form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    suppliers = {row.pack.product.supplier_id for row in rows}
    templates = template_in_force(session(), suppliers, today())
    carriage = _carriage(rows, templates, form)
    offers = offers_of(templates, suppliers)
    goods = total(row.amount for row in rows)
    freight = total(each.amount or Money(0) for each in carriage or [])
    shares = sharing_of(session(), [row.pack.product_id for row in rows], today())
    to_households = total(
        shares[pack.product_id].to_households(
            pack.grade, row.price, pack.content, pack.product.base_unit
        )
        * row.line.count
        for row in rows
        if (pack := row.pack).product_id in shares
    )
    return render_template(
        "shop/checkout.html",
        rows=rows,
        goods=goods,
        freight=freight,
        freight_known=carriage is not None,
        unserved=_unserved(carriage or []),
        sum=goods + freight,
        to_households=to_households,
        basket_count=sum(row.line.count for row in rows),
        fresh=[row.pack.product for row in rows if row.pack.product.fresh],
        leaves_by=now() + timedelta(hours=SHIP_WITHIN_HOURS),
        days=days_offered(offers, today()),
        halves=list(DayPart) if halves_offered(offers) else [],
        points=points_of(session(), suppliers),
        by_transfer=goods + freight > MOST,
        transfer_days=TRANSFER_HOLD.days,
        form=form,
        errors=errors,
        **offered(),
    )


def _carriage(
    rows: list[Row], templates: Mapping[int, FreightTemplate], form: Mapping[str, str]
) -> list[Carriage] | None:
    """Per supplier that asks for it; None while somebody asks for it and the place is not clear."""
    pick_up = form.get("delivery") == "pick_up"
    region = region_typed(form, _find_places)
    found = carriage_from(
        templates,
        [Item(row.pack, row.line.count, row.amount) for row in rows],
        region=region or "",
        pick_up=pick_up,
    )
    return None if found and region is None and not pick_up else found


def _unserved(carriage: list[Carriage]) -> list[str]:
    """Names of those who do not send there."""
    missing = [each.supplier_id for each in carriage if each.amount is None]
    return sorted(supplier_names(session(), missing).values()) if missing else []

"""The basket: kept by a cookie, no account needed, looked at afresh on every view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from catalog.lots.queries import available
from catalog.lots.rules import citizens_until
from catalog.products.models import Pack
from catalog.products.rules.pricing import CITIZEN, Quote, price_of
from kernel.codes import new_key
from kernel.errors import Missing, Text
from kernel.money import Money, total
from kernel.text import plain_number, tidy
from kernel.web.access import actor, public
from kernel.web.keeping import from_shared_pages
from kernel.web.work import now, session, today, transaction
from orders.sales.models import Basket, BasketLine
from orders.sales.operations import acknowledge_prices, merge_baskets, put_in_basket
from orders.sales.operations.judging import limit_words
from orders.sales.queries import (
    basket_count,
    basket_of,
    own_unpaid_orders,
    packs_with_products,
    reserved_by,
)
from orders.sales.queries.limits import bought_of
from orders.sales.rules.limits import Limit, limit_of

bp = Blueprint("cart", __name__)

KEY = "basket"
CODES = "orders"
TAKEN = "taken"
# So long the goods of an order that is paid online are set aside.
HOLD = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the basket as it stands now, with what changed since it was put there."""

    line: BasketLine
    pack: Pack
    on_sale: bool
    free: int
    quote: Quote
    was: Money | None
    # What this buyer may still have of a limited pack, as far as we know them; None is no limit.
    left: int | None = None

    @property
    def price(self) -> Money:
        """Of one pack, when so many are bought."""
        return self.quote.price or Money(0)

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def most(self) -> int:
        mine = self.free if self.left is None else min(self.free, self.left)
        return min(self.pack.most_per_order, mine)

    @property
    def limit(self) -> Limit | None:
        return limit_of(self.pack.most_per_buyer, self.pack.limit_days)

    @property
    def remark(self) -> Text | None:
        """What this person should know before ordering it."""
        if not self.on_sale:
            return Text("No longer for sale; please take it out.")
        if self.free == 0:
            return Text("Sold out for now.")
        if self.line.count > self.free:
            return Text("Only %(n)s left.", n=self.free)
        if self.limit is not None and self.left is not None and self.line.count > self.left:
            return limit_words(self.pack, self.limit, self.left)
        return None


@bp.get("/cart")
@public
def show() -> str:
    merge()
    rows = rows_now()
    page = render_template(
        "shop/cart.html",
        rows=rows,
        sum=total(row.amount for row in rows if row.on_sale),
        blocked=any(row.remark for row in rows),
        basket_count=sum(row.line.count for row in rows),
        taken_out=_taken_out(),
    )
    if any(row.was for row in rows):
        with transaction() as work:
            if basket := basket_of(work, basket_key(), actor().user_id):
                acknowledge_prices(work, basket, now=now())
    return page


@bp.post("/cart")
@bp.post("/cart/add", endpoint="add")
@from_shared_pages
@public
def put() -> Response:
    """The basket holds so many of this pack from now on: sending it twice changes nothing more."""
    pack_id, count = _whole(request.form.get("pack", "")), _whole(request.form.get("count", "1"))
    if pack_id is None or count is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    with transaction() as work:
        before = 0
        if not count and (lying := _lying(work, pack_id)):
            before, cookie[TAKEN] = lying.count, lying.note
        note = tidy(request.form["note"]) if "note" in request.form else None
        basket = put_in_basket(work, basket_key(), pack_id, count, note=note, by=actor(), now=now())
    if KEY not in cookie:
        cookie[KEY] = basket.key
        cookie.permanent = True
    if request.form.get("then") == "checkout":
        return redirect(url_for("checkout.show"), code=303)
    if not count:
        return redirect(url_for("cart.show", out=pack_id, n=before), code=303)
    flash(_("It is in the basket."), "done")
    return redirect(url_for("cart.show"), code=303)


def _lying(work: Session, pack_id: int) -> BasketLine | None:
    """The line of this pack as it lies in the basket now."""
    basket = basket_of(work, basket_key(), actor().user_id)
    lines = basket.lines if basket is not None else []
    return next((line for line in lines if line.pack_id == pack_id), None)


def _taken_out() -> tuple[Pack, int, str] | None:
    """What was just taken out, how many, and the word about it, so that it can be put back."""
    pack_id, count = _whole(request.args.get("out", "")), _whole(request.args.get("n", ""))
    if not pack_id or not count:
        return None
    pack = packs_with_products(session(), [pack_id]).get(pack_id)
    return (pack, count, cookie.get(TAKEN, "")) if pack is not None and pack.on_sale else None


@bp.app_context_processor
def _count() -> dict[str, object]:
    """The number beside the basket; asked for only by pages that show it."""

    def count() -> int:
        user_id = current_user.id if current_user.is_authenticated else None
        if user_id is None and KEY not in cookie:
            return 0
        return basket_count(session(), cookie.get(KEY), user_id)

    return {"basket_count": count}


def basket_key() -> str | None:
    """The basket of this browser."""
    key: str | None = cookie.get(KEY)
    return key


def own_basket_key() -> str:
    """The basket of this browser, which gets one if it had none."""
    key: str | None = cookie.get(KEY)
    if key is None:
        key = cookie[KEY] = new_key()
        cookie.permanent = True
    return key


def merge() -> None:
    """After signing in, what this browser collected joins the person's own basket."""
    if current_user.is_authenticated and KEY in cookie:
        with transaction() as work:
            merge_baskets(work, cookie.pop(KEY), by=actor(), now=now())


def rows_now() -> list[Row]:
    """The basket with today's prices and what is free; this person's own unpaid order blocks
    nothing, because ordering again gives it back (lessons.md §1, 10)."""
    basket = basket_of(session(), basket_key(), actor().user_id)
    if basket is None or not basket.lines:
        return []
    return _rows(basket)


def browser_codes() -> list[str]:
    """The last orders this browser placed."""
    return list(cookie.get(CODES, []))


def my_unpaid_orders() -> list[int]:
    codes = browser_codes()
    user_id = actor().user_id
    if user_id is None and not codes:
        return []
    return own_unpaid_orders(session(), user_id=user_id, codes=codes, ending_by=now() + HOLD)


def remember_order(code: str) -> None:
    """This browser placed it."""
    cookie[CODES] = [*cookie.get(CODES, []), code][-5:]
    cookie.permanent = True


def _rows(basket: Basket) -> list[Row]:
    packs = [line.pack for line in basket.lines]
    product_ids = sorted({pack.product_id for pack in packs})
    until = citizens_until(today())
    free = available(session(), product_ids, today=today(), good_until=until)
    mine = reserved_by(session(), my_unpaid_orders())
    bought = bought_of(
        session(), packs, user_id=actor().user_id, codes=browser_codes(), today=today()
    )
    rows = []
    for line in basket.lines:
        pack = line.pack
        key = (pack.product_id, pack.grade)
        left = (free.get(key, 0) + mine.get(key, 0)) // pack.content
        on_sale = pack.on_sale and pack.product.offered_on(today())
        quote = price_of(pack, pack.content * line.count, CITIZEN, today())
        was = line.price_seen if line.price_seen != quote.price else None
        limit = limit_of(pack.most_per_buyer, pack.limit_days)
        for_me = limit.left(bought.get(pack.id, 0)) if limit else None
        rows.append(Row(line, pack, on_sale, left, quote, was, for_me))
    return rows


def _whole(text: str) -> int | None:
    plain = plain_number(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None

"""The basket: kept by a cookie, no account needed, looked at afresh on every view."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from catalog.lots.queries import available
from catalog.lots.rules import citizens_until
from catalog.products.models import Pack
from catalog.products.rules.pricing import CITIZEN, Quote, price_of
from kernel.codes import new_key
from kernel.errors import Missing, Text
from kernel.money import Money, total
from kernel.text import plain_number
from kernel.web.access import actor, public
from kernel.web.keeping import from_shared_pages
from kernel.web.work import now, session, today, transaction
from orders.sales.models import Basket, BasketLine
from orders.sales.operations import acknowledge_prices, merge_baskets, put_in_basket
from orders.sales.queries import basket_count, basket_of, own_unpaid_orders, reserved_by

bp = Blueprint("cart", __name__)

KEY = "basket"
CODES = "orders"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the basket as it stands now, with what changed since it was put there."""

    line: BasketLine
    pack: Pack
    on_sale: bool
    free: int
    quote: Quote
    was: Money | None

    @property
    def price(self) -> Money:
        """Of one pack, when so many are bought."""
        return self.quote.price or Money(0)

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def most(self) -> int:
        return min(self.pack.most_per_order, self.free)

    @property
    def remark(self) -> Text | None:
        """What this person should know before ordering it."""
        if not self.on_sale:
            return Text("No longer for sale; please take it out.")
        if self.free == 0:
            return Text("Sold out for now.")
        if self.line.count > self.free:
            return Text("Only %(n)s left.", n=self.free)
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
        basket = put_in_basket(work, basket_key(), pack_id, count, by=actor(), now=now())
    if KEY not in cookie:
        cookie[KEY] = basket.key
        cookie.permanent = True
    if request.form.get("then") == "checkout":
        return redirect(url_for("checkout.show"), code=303)
    flash(_("It is in the basket.") if count else _("It is out of the basket."), "done")
    return redirect(url_for("cart.show"), code=303)


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


def my_unpaid_orders() -> list[int]:
    codes = list(cookie.get(CODES, []))
    user_id = actor().user_id
    if user_id is None and not codes:
        return []
    return own_unpaid_orders(session(), user_id=user_id, codes=codes)


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
    rows = []
    for line in basket.lines:
        pack = line.pack
        key = (pack.product_id, pack.grade)
        left = (free.get(key, 0) + mine.get(key, 0)) // pack.content
        on_sale = pack.on_sale and pack.product.offered_on(today())
        quote = price_of(pack, pack.content * line.count, CITIZEN, today())
        was = line.price_seen if line.price_seen != quote.price else None
        rows.append(Row(line, pack, on_sale, left, quote, was))
    return rows


def _whole(text: str) -> int | None:
    plain = plain_number(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None

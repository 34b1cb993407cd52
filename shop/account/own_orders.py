"""A citizen's own orders: found, sorted, adopted, credited to the unit they work for."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel.periods import business_day
from kernel.text import tidy
from kernel.web.access import actor, signed_in
from kernel.web.addresses import own_address
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies.operations import credit_order, take_credit_back
from orders.agencies.queries.units import policies_of
from orders.agencies.rules.staff import last_day_to_credit
from orders.payments.queries.after import undecided_of_orders
from orders.sales.models import Employment, EmploymentState, Order
from orders.sales.operations import adopt_orders
from orders.sales.queries import order_by_code
from orders.sales.queries.own import (
    STATES,
    OrderPage,
    OwnOrders,
    count_guest_orders,
    employments_of,
    own_orders,
)

bp = Blueprint("own_orders", __name__)

AGREED = (EmploymentState.CONFIRMED, EmploymentState.ENDED)


@bp.get("/account/orders")
@signed_in
def index() -> str:
    """Newest first; by sort, by words, in pages."""
    wanted = request.args.get("sort", "")
    sort = next((each for each in OwnOrders if each.value == wanted), None)
    words = tidy(request.args.get("q", ""))[:60]
    page = _page()
    found = own_orders(session(), current_user.id, sort=sort, words=words, page=page)
    return render_template(
        "account/orders.html",
        found=found,
        sorts=list(OwnOrders),
        sort=sort,
        words=words,
        page=page,
        credits=_credits(found),
        asking=undecided_of_orders(session(), [each.id for each in found.orders]),
        guest_orders=count_guest_orders(session(), current_user.email),
    )


@bp.post("/account/orders/adopt")
@signed_in
@once
def adopt() -> Response:
    """Orders placed without an account with the same, proven address."""
    by = actor()
    assert by.user_id is not None
    with transaction() as work:
        number = adopt_orders(work, by.user_id, by=by, now=now())
    flash(
        ngettext("%(num)d order is in your account now.", "%(num)d orders are in your account now.",
                 number),
        "done",
    )  # fmt: skip
    return redirect(url_for("own_orders.index"), code=303)  # type: ignore[return-value]


@bp.post("/account/orders/<code>/credit")
@signed_in
@once
def credit(code: str) -> Response:
    with transaction() as work:
        order = order_by_code(work, code)
        credit_order(work, order.id, by=actor(), now=now())
    flash(_("This order is credited to your unit."), "done")
    return _back()


@bp.post("/account/orders/<code>/credit-back")
@signed_in
@once
def credit_back(code: str) -> Response:
    with transaction() as work:
        order = order_by_code(work, code)
        take_credit_back(work, order.id, by=actor(), now=now())
    flash(_("This order is credited to nobody any more."), "done")
    return _back()


def _credits(found: OrderPage) -> dict[int, tuple[Employment, bool]]:
    """Order → the unit it may be, or is, credited to, and whether that can still be changed."""
    agreed = [each for each in employments_of(session(), current_user.id) if each.state in AGREED]
    if not agreed:
        return {}
    shown = {}
    open_until: dict[tuple[str, int], int | None] = {}
    for order in found.orders:
        employment = _employment_of(order, agreed)
        if employment is not None:
            ordered_on = business_day(order.placed_at)
            key = employment.organisation.region_code, ordered_on.year
            if key not in open_until:
                policy = policies_of(session(), *_one(key)).get(key[1])
                counts = policy is not None and policy.staff_counts
                open_until[key] = policy.staff_credit_days if policy and counts else None
            days = open_until[key]
            changing = days is not None and today() <= last_day_to_credit(ordered_on, days)
            shown[order.id] = employment, changing and _bought(order)
    return shown


def _one(key: tuple[str, int]) -> tuple[str, list[int]]:
    return key[0], [key[1]]


def _employment_of(order: Order, agreed: list[Employment]) -> Employment | None:
    ordered_on: date = business_day(order.placed_at)
    for each in agreed:
        credited = order.credit_organisation_id in (None, each.organisation_id)
        if credited and each.holds_on(ordered_on):
            return each
    return None


def _bought(order: Order) -> bool:
    return order.state not in STATES[OwnOrders.NOT_BOUGHT]


def _page() -> int:
    typed = request.args.get("page", "1")
    return int(typed) if typed.isascii() and typed.isdecimal() and 0 < int(typed) < 10**5 else 1


def _back() -> Response:
    return redirect(own_address(request.referrer, otherwise="/account/orders"), code=303)  # type: ignore[return-value]

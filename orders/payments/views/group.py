"""One payer, many recipients: a sheet of people, looked at row by row, and one order for all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from catalog.products.rules.pricing import CITIZEN, price_of
from kernel.errors import Invalid, Refusal, Text
from kernel.money import ZERO, Money, total
from kernel.sheet_writing import Heading, write_xlsx
from kernel.web.access import actor, public
from kernel.web.drawing import named
from kernel.web.i18n import chosen_language, say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.payments.forms import Group, read_group
from orders.payments.gateway import MOST
from orders.payments.operations import TRANSFER_HOLD
from orders.payments.views.checkout import (
    full_basket,
    keep_wish,
    no_return,
    place_or_give_back,
)
from orders.payments.views.paying import payment_address, start
from orders.sales.forms import people_as_text, people_from_text, read_people
from orders.sales.models import Basket, BuyerKind, FreightTemplate, Order, OrderState
from orders.sales.operations import (
    Placing,
    Recipient,
    Wanted,
    empty_basket,
    keep_people,
    tell_buyer,
)
from orders.sales.queries import basket_of, places_named_in
from orders.sales.queries.freight import Item, carriage_from, supplier_names, template_in_force
from orders.sales.rules.people import Offered, Parcel, judge
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

bp = Blueprint("group", __name__, url_prefix="/group")


@dataclass(frozen=True, slots=True)
class Preview:
    """What the sheet comes to: each row with its carriage, and everything together."""

    parcels: list[tuple[Parcel, Money]]
    goods: Money
    freight: Money
    short: list[Text]

    @property
    def wrong(self) -> int:
        return sum(1 for parcel, _freight in self.parcels if parcel.problems)

    @property
    def sum(self) -> Money:
        return self.goods + self.freight


@bp.get("")
@public
def show() -> str | Answer:
    merge()
    if not rows_now():
        return redirect(url_for("cart.show"), code=303)
    return _page({}, {})


@bp.get("/template.xlsx")
@public
def template() -> Response:
    """Empty, with a column for each pack of the basket."""
    return _sheet([], _("People"), remarks=False)


@bp.get("/remarks.xlsx")
@public
def remarks() -> Response:
    """The same rows again with a remark at each that is not right: to be corrected and resent."""
    preview = _preview(rows_now(), _kept())
    return _sheet([parcel for parcel, _freight in preview.parcels], _("People"), remarks=True)


@bp.post("/people")
@public
@once
def upload() -> Answer | tuple[str, int]:
    """The sheet takes the place of the one before; the basket keeps it until it is ordered."""
    file = request.files.get("file")
    try:
        people = read_people(file.read() if file is not None else b"")
    except Invalid as invalid:
        return _page({}, invalid.errors), invalid.status
    with transaction() as work:
        keep_people(work, full_basket(work), people_as_text(people), now=now())
    return redirect(url_for("group.show"), code=303)


@bp.post("/forget")
@public
@once
def forget() -> Answer:
    with transaction() as work:
        keep_people(work, full_basket(work), None, now=now())
    flash(_("The people are forgotten; the basket is as it was."), "done")
    return redirect(url_for("group.show"), code=303)


@bp.post("")
@public
@once
def place() -> Answer | tuple[str, int]:
    """One order, a parcel for each of them, one payment."""
    people = people_from_text(_kept())
    try:
        asked = read_group(request.form, len(people))
        order = _place(asked)
    except Invalid as invalid:
        return _page(request.form, invalid.errors), invalid.status
    except Refusal as refusal:
        reasons = refusal.reasons or (refusal.sentence,)
        errors = {f"goods-{n}": reason for n, reason in enumerate(reasons[:20])}
        return _page(request.form, errors), refusal.status
    remember_order(order.code)
    return redirect(payment_address(order), code=303)


def _place(asked: Group) -> Order:
    unpaid, rows = my_unpaid_orders(), rows_now()
    with transaction() as work:
        basket = full_basket(work)
        agreed = no_return(basket, asked.no_return_agreed)
        preview = _preview(rows, basket.people)
        if not preview.parcels or preview.wrong:
            raise Refusal("Some rows of the sheet are not right yet; nothing was ordered.")
        placing = Placing(
            lines=_lines(basket, [parcel for parcel, _freight in preview.parcels]),
            buyer_kind=BuyerKind.CITIZEN,
            contact=asked.contact,
            request_key=f"form:{request.form['once']}",
            claimed=True,
            state=OrderState.AWAITING_PAYMENT,
            hold_until=now() + HOLD,
            user_id=actor().user_id,
            note=asked.note,
            recipients=[
                Recipient(
                    recipient=parcel.person.name,
                    phone=parcel.phone,
                    address=parcel.address,
                    region=parcel.region,
                    note=parcel.person.note,
                )
                for parcel, _freight in preview.parcels
            ],
            gift=asked.wishes.gift,
            no_return_agreed=agreed,
            browser_codes=browser_codes(),
            locale=chosen_language(),
        )
        order = place_or_give_back(work, placing, unpaid)
        if order.total != asked.total_seen:
            raise Refusal("Together it is %(total)s now. Press again to agree.", total=order.total)
        letter = start(work, order)
        empty_basket(work, basket)
        keep_wish(work, order, asked.wishes)
        tell_buyer(work, order, letter, now=now())
    return order


def _lines(basket: Basket, parcels: Sequence[Parcel]) -> list[Wanted]:
    """Person by person, in the order of the basket: what each of them gets is a line of its own."""
    return [
        Wanted(pack_id=line.pack_id, count=count, note=line.note, to=place)
        for place, parcel in enumerate(parcels)
        for line in basket.lines
        if (count := parcel.counts.get(line.pack_id, 0))
    ]


def _kept() -> str | None:
    basket = basket_of(session(), basket_key(), actor().user_id)
    return basket.people if basket is not None else None


def _preview(rows: Sequence[Row], kept: str | None) -> Preview:
    offered = {
        row.pack.id: Offered(row.line.count, row.pack.most_per_order, _pack_words(row))
        for row in rows
        if row.on_sale
    }
    parcels = judge(people_from_text(kept), offered, lambda text: places_named_in(session(), text))
    wanted = {
        row.pack.id: sum(parcel.counts.get(row.pack.id, 0) for parcel in parcels) for row in rows
    }
    templates = template_in_force(
        session(), {row.pack.product.supplier_id for row in rows}, today()
    )
    by_parcel = [(each, _carriage(rows, each, wanted, templates)) for each in parcels]
    return Preview(
        parcels=by_parcel,
        goods=total(
            price_of(row.pack, row.pack.content * wanted[row.pack.id], CITIZEN, today()).amount
            for row in rows
            if wanted[row.pack.id]
        ),
        freight=total(freight for _parcel, freight in by_parcel),
        short=[
            Text(
                "%(name)s: %(wanted)s are wanted, %(free)s are there.",
                name=_pack_words(row),
                wanted=wanted[row.pack.id],
                free=row.free if row.left is None else min(row.free, row.left),
            )
            for row in rows
            if wanted[row.pack.id] > (row.free if row.left is None else min(row.free, row.left))
        ],
    )


def _carriage(
    rows: Sequence[Row],
    parcel: Parcel,
    wanted: Mapping[int, int],
    templates: Mapping[int, FreightTemplate],
) -> Money:
    """What this parcel costs to send; where somebody does not send, the row says so."""
    items = []
    for row in rows:
        if count := parcel.counts.get(row.pack.id, 0):
            content = row.pack.content
            quote = price_of(row.pack, content * wanted[row.pack.id], CITIZEN, today())
            items.append(Item(row.pack, count, (quote.price or ZERO) * count))
    if not parcel.region:
        return ZERO
    found = carriage_from(templates, items, region=parcel.region)
    if missing := [each.supplier_id for each in found if each.amount is None]:
        for name in supplier_names(session(), missing).values():
            parcel.problems.append(Text("%(supplier)s does not send to this place.", supplier=name))
    return total(each.amount or ZERO for each in found)


def _pack_words(row: Row) -> str:
    return f"{named(row.pack.product)} {named(row.pack)}"


def _sheet(parcels: Sequence[Parcel], title: str, *, remarks: bool) -> Response:
    rows = rows_now()
    headings = [
        Heading("收货人", 12, required=True),
        Heading("手机号", 16, required=True),
        Heading("收货地址", 48, required=True, note="省、市、区县写在前面：重庆市渝北区龙山街道…"),
        *(
            Heading(f"{_pack_words(row)} [{row.pack.id}]", 18, note=f"空着就是 {row.line.count}")
            for row in rows
        ),
        Heading("留言", 24),
        *([Heading("哪里不对", 48)] if remarks else []),
    ]
    values = [
        [
            each.person.name,
            each.person.phone,
            each.person.address,
            *(each.person.counts.get(row.pack.id, "") for row in rows),
            each.person.note,
            *(["；".join(say(problem) for problem in each.problems)] if remarks else []),
        ]
        for each in parcels
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.xlsx"
        words = _("Who gets a parcel: one row for each person")
        write_xlsx(path, "收货人", words, headings, values)
        content = path.read_bytes()
    answer = Response(
        content, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="people.xlsx"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    rows = rows_now()
    preview = _preview(rows, _kept())
    return render_template(
        "shop/group.html",
        rows=rows,
        preview=preview,
        fresh=[row.pack.product for row in rows if row.pack.product.fresh],
        basket_count=sum(row.line.count for row in rows),
        by_transfer=preview.sum > MOST,
        transfer_days=TRANSFER_HOLD.days,
        form=form,
        errors=errors,
    )

"""The public pages. None of them changes anything; a scanned code is counted."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from catalog.households.queries import public_picture, voices_in
from catalog.lots.operations import note_scan
from catalog.lots.queries import (
    VillageSheet,
    nearest_code,
    product_sheet,
    shelf,
    times_opened,
    trace,
    village_sheets,
)
from kernel.errors import Missing, Text
from kernel.text import tidy
from kernel.web.access import public
from kernel.web.i18n import chosen_language
from kernel.web.keeping import shared
from kernel.web.work import now, services, session, today, transaction
from orders.shares.queries import lot_paid, sharing_of
from orders.tracing.queries.recalls import notice_of
from shop.storefront import offers, queries, seasons, stories, visiting
from shop.storefront.lines import lines
from shop.storefront.remembered import remembered

bp = Blueprint("storefront", __name__)

MOST_RIPE = 10
MOST_VILLAGES = 8

# When all public pages were last looked at with axe, at both widths, both themes and large type.
CHECKED_ON = date(2026, 11, 23)


@bp.get("/")
@public
@shared
def home() -> str:
    """What is ripe, who leads, where the money goes."""
    day = today()
    rows = shelf(session(), today=day, limit=80)
    ripe = sorted(
        (row for row in rows if row.in_season and row.packs_free),
        key=lambda row: (not row.in_harvest, rows.index(row)),
    )[:MOST_RIPE]
    leads = stories.chosen(rows)
    sheet = product_sheet(session(), leads[0].slug, day) if leads else None
    spans = queries.seasons_of(session(), [row.product_id for row in ripe])
    offer = offers.usual(sheet) if sheet else None
    lead_id = leads[0].product_id if leads else 0
    sharing = sharing_of(session(), [lead_id], day).get(lead_id)
    senders = remembered(("senders", day), lambda: queries.senders(session(), day))
    sender = senders.get(leads[0].supplier_id) if leads else None
    return render_template(
        "storefront/home.html",
        bars={key: seasons.bars(*each, day.year) for key, each in spans.items()},
        carriage=sender is not None and bool(sender.zones),
        goods=remembered(("goods", day), lambda: queries.goods_of_villages(session(), day)),
        groups=offers.groups_of(sheet, offer, sharing) if sheet else [],
        offer=offer,
        leads=leads,
        now_at=seasons.place_in_year(day),
        products=len(rows),
        ripe=ripe,
        seen=visiting.seen_products(),
        sheet=sheet,
        spoken=seasons.spoken,
        stories=stories,
        term=seasons.solar_term(day),
        villages=remembered(("villages", day), lambda: _villages(day)),
        year=remembered(("year", day.year), lambda: queries.year_of_money(session(), day.year)),
    )


def _villages(day: date) -> list[VillageSheet]:
    return village_sheets(session(), [""], today=day)[:MOST_VILLAGES]


@bp.get("/villages/<code>")
@public
@shared
def village(code: str) -> str:
    found = queries.village_by(session(), code)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    rows = shelf(session(), today=today(), village=code, limit=60)
    return render_template(
        "storefront/village.html",
        households=queries.households_with_goods(session(), code, today()),
        lines=lines(rows, offers.shares(session(), rows, today())),
        village=found,
        voices=voices_in(session(), code),
    )


@bp.get("/villages/photos/<sha256>")
@public
def village_photo(sha256: str) -> Response:
    """A photo that a household lets us show; gone at once when it takes that back."""
    file = public_picture(session(), sha256)
    answer = Response(services().storage.get(file.sha256), mimetype=file.media_type)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/trace")
@public
@shared
def look_up() -> str | Answer:
    """Where one types what stands below the bag's code."""
    code = tidy(request.args.get("code", ""))[:60]
    if code:
        return redirect(f"/trace/{code.replace('/', '')}", code=303)
    return render_template("storefront/look_up.html", code="", missing=False, near=None)


@bp.get("/trace/<code>")
@public
def trace_page(code: str) -> str | tuple[str, int]:
    """A lot or a bag. That it was opened is counted; of the visitor nothing is kept."""
    try:
        sheet = trace(session(), code, today=today())
    except Missing:
        near = nearest_code(session(), code)
        return render_template("storefront/look_up.html", code=code, missing=True, near=near), 404
    lot, bag = sheet.lot, sheet.bag
    page = render_template(
        "storefront/trace.html",
        notice=notice_of(session(), lot.id) if sheet.recalled else None,
        opened=times_opened(session(), lot.id, bag.serial) + 1 if bag else 0,
        paid=queries.paid_of(session(), lot.id, pack_id=bag.pack.id if bag else None),
        papers=queries.papers_of(session(), lot.id),
        product=lot.product,
        shares=lot_paid(session(), lot.id, [link.lot_id for link in sheet.made_of]),
        sheet=sheet,
        voices=queries.voices_of_lot(session(), lot.id),
    )
    if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        with transaction() as work:
            note_scan(work, lot.id, bag.serial if bag else None, lang=chosen_language(), now=now())
    return page


@bp.get("/help")
@public
@shared
def help_page() -> str:
    return render_template("storefront/help.html")


@bp.get("/accessibility")
@public
@shared
def accessibility() -> str:
    return render_template("storefront/accessibility.html", checked_on=CHECKED_ON)

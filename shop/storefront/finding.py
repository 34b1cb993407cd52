"""The shelf and how one finds things on it: by kind, by words, by filters, by the season."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from catalog.lots.queries import (
    NamedProduct,
    Narrower,
    ShelfRow,
    Sorting,
    count_shelf,
    names_on_shelf,
    shelf,
    suggestions,
)
from catalog.products.queries import category_by_slug
from catalog.products.rules.spelling import Name, name_of, nearest
from kernel.errors import Text
from kernel.text import tidy
from kernel.web.access import public
from kernel.web.addresses import own_address
from kernel.web.keeping import from_shared_pages, shared
from kernel.web.work import now, session, today
from shop.storefront import offers, promising, queries, seasons, visiting
from shop.storefront.lines import lines
from shop.storefront.remembered import remembered
from shop.storefront.wishes import Wish, read_wish

bp = Blueprint("finding", __name__)

PAGE = 24
MOST_TYPED = 80
MOST_HELP = 6
MONTHS = {str(month) for month in range(1, 13)}


@bp.get("/products")
@public
@shared
def products() -> Response:
    """The whole shelf, or what of it was asked for."""
    return _shelf_page(read_wish(request.args, category=None, today=today()))


@bp.get("/categories/<slug>")
@public
@shared
def category(slug: str) -> Response:
    category_by_slug(session(), slug)
    return _shelf_page(read_wish(request.args, category=slug, today=today()), fixed=True)


@bp.get("/search")
@public
@shared
def search() -> Response:
    """Chinese, English, pinyin or initials."""
    text = tidy(request.args.get("q", ""))[:MOST_TYPED]
    return _shelf_page(read_wish(request.args, category=None, today=today()), text=text)


@bp.get("/search/suggest")
@public
@shared
def suggest() -> str:
    """A few names under the search box while somebody types. One question to the database."""
    text = tidy(request.args.get("q", ""))[:MOST_TYPED]
    found = suggestions(session(), text, today=today()) if text else []
    kinds, places = _filters(today())
    return render_template(
        "storefront/suggest.html",
        found=found,
        kinds=[each for each in kinds if _speaks_of(text, each)],
        places=[each for each in places if _speaks_of(text, each)],
        text=text,
    )


def _speaks_of(text: str, choice: queries.Choice) -> bool:
    return bool(text) and (
        text in choice.name_zh or choice.name_en.lower().startswith(text.lower())
    )


@bp.get("/calendar")
@public
@shared
def calendar() -> str:
    """Product by month: what the fields give when, what lies in store, what is there now."""
    day = today()
    rows = remembered(("calendar", day), lambda: names_on_shelf(session(), today=day))
    typed = request.args.get("month", "")
    chosen = int(typed) if typed in MONTHS else 0
    years = [seasons.year_of(row.harvest, row.stored) for row in rows]
    shown = [
        (row, year)
        for row, year in zip(rows, years, strict=True)
        if year and (not chosen or year[chosen - 1])
    ]
    return render_template(
        "storefront/calendar.html",
        chosen=chosen,
        groups=_by_kind(shown),
        month=day.month,
        now_at=seasons.place_in_year(day),
        term=seasons.solar_term(day),
    )


def _by_kind(
    rows: Sequence[tuple[NamedProduct, list[str]]],
) -> list[list[tuple[NamedProduct, list[str]]]]:
    groups: dict[str, list[tuple[NamedProduct, list[str]]]] = {}
    for row, year in rows:
        groups.setdefault(row.category_zh, []).append((row, year))
    return list(groups.values())


@bp.post("/seen/forget")
@from_shared_pages
@public
def forget() -> Answer:
    """This browser opened nothing."""
    answer = redirect(own_address(request.referrer), code=303)
    visiting.forget_seen(answer)  # type: ignore[arg-type]
    return answer


def _shelf_page(wish: Wish, *, fixed: bool = False, text: str | None = None) -> Response:
    day = today()
    senders = remembered(("senders", day), lambda: queries.senders(session(), day))
    home = next(iter(senders.values())).origin if senders else ""
    region, place, understood = visiting.destination(home)
    if wish.by is not None and not understood:
        wish.errors["to"] = Text("Write province, city and district, such as 重庆市渝北区.")
    in_time = (
        promising.in_time(senders.values(), region, wish.by, now())
        if wish.by is not None and understood
        else None
    )
    narrower = wish.narrower(in_time)
    rows = shelf(
        session(), today=day, category=wish.category, text=text, village=wish.village,
        narrower=narrower, sort=wish.sort, offset=(wish.page - 1) * PAGE, limit=PAGE + 1,
    ) if text != "" else []  # fmt: skip
    shown = rows[:PAGE]
    kinds, places = _filters(day)
    grouped = wish.sort.value == "recommended" and text is None
    groups = _by_category(shown) if grouped else [shown]
    shares = offers.shares(session(), shown, day)
    answer = make_response(
        render_template(
            "storefront/shelf.html",
            carriage=any(each.zones for each in senders.values()),
            category=next((each for each in kinds if each.key == wish.category), None),
            errors=wish.errors,
            first=(wish.page - 1) * PAGE + 1,
            fixed=fixed,
            form=request.args,
            groups=groups,
            help=None if rows or text is None else _help(text, day),
            lines={group[0].product_id: lines(group, shares) for group in groups if group},
            more=len(rows) > PAGE,
            narrower=narrower,
            page=wish.page,
            places=places,
            rows=shown,
            seen=visiting.seen_products(),
            shelves=kinds,
            sort=wish.sort,
            sortings=Sorting,
            text=text,
            total=_count(kinds, wish, narrower, text, len(rows)),
            village=next((each for each in places if each.key == wish.village), None),
            whither=place,
            wish=wish,
        )
    )
    if understood:
        visiting.remember_destination(answer, region)
    return answer


def _filters(day: date) -> tuple[list[queries.Choice], list[queries.Choice]]:
    return remembered(("filters", day), lambda: queries.filters(session(), day))


def _count(
    kinds: list[queries.Choice], wish: Wish, narrower: Narrower, text: str | None, found: int
) -> int:
    """How many there are, without asking again where it is known already."""
    if wish.page == 1 and found <= PAGE:
        return found
    if wish.village is None and text is None and not narrower.any:
        return sum(each.count for each in kinds if wish.category in (None, each.key))
    return count_shelf(
        session(), today=today(), category=wish.category, text=text, village=wish.village,
        narrower=narrower,
    )  # fmt: skip


def _by_category(rows: list[ShelfRow]) -> list[list[ShelfRow]]:
    groups: dict[str, list[ShelfRow]] = {}
    for row in rows:
        groups.setdefault(row.category_slug, []).append(row)
    return list(groups.values())


def _help(text: str, day: date) -> dict[str, object]:
    """For whoever found nothing: names that are spelt nearly so, and what is in season."""
    names: list[Name] = remembered(("spelling", day), lambda: _names(day))
    ripe: list[ShelfRow] = remembered(("ripe", day), lambda: _ripe(day))
    return {
        "near": nearest(text, names),
        "ripe": lines(ripe, offers.shares(session(), ripe, day)),
    }


def _names(day: date) -> list[Name]:
    kinds, _ = _filters(day)
    found = [name_of(row.name_zh, row.name_en) for row in names_on_shelf(session(), today=day)]
    return [*found, *(name_of(each.name_zh, each.name_en) for each in kinds)]


def _ripe(day: date) -> list[ShelfRow]:
    rows = shelf(session(), today=day, narrower=Narrower(in_season=True), limit=PAGE)
    there = [row for row in rows if row.packs_free]
    return sorted(there, key=lambda row: not row.in_harvest)[:MOST_HELP]

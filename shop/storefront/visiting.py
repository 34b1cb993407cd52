"""What a browser remembers of its visit: where parcels go, and which products it opened last.

Both are cookies of that browser. Nobody's visit is written down here, and a page that shows either
is kept by nobody else (`kernel.web.keeping`).
"""

from __future__ import annotations

import re
from datetime import date

from flask import Response, request

from catalog.lots.queries import NamedProduct, named_by_slug
from kernel.web.work import services, session, today
from shop.storefront import queries
from shop.storefront.promising import province_of
from shop.storefront.remembered import remembered, remembered_each

SEEN, TO = "seen", "to"
MOST_SEEN = 7
MONTH = 30 * 24 * 3600

_SLUG = re.compile(r"[a-z0-9-]{1,60}")
_CODE = re.compile(r"\d{12}")


def seen_slugs() -> list[str]:
    """The last products opened in this browser, the newest first."""
    kept = request.cookies.get(SEEN, "").split(".")
    return [each for each in dict.fromkeys(kept) if _SLUG.fullmatch(each)][:MOST_SEEN]


def seen_products(*, but: str = "") -> list[NamedProduct]:
    """Those that are still on the shelf, at most six."""
    day = today()
    slugs = [each for each in seen_slugs() if each != but]
    keys = [("named", each, day) for each in slugs]

    def look(missing: list[tuple[str, str, date]]) -> dict[tuple[str, str, date], NamedProduct]:
        found = named_by_slug(session(), [slug for _, slug, _ in missing], today=day)
        return {key: found[key[1]] for key in missing if key[1] in found}

    known = remembered_each(keys, look)
    return [known[key] for key in keys if key in known][: MOST_SEEN - 1]


def remember_seen(answer: Response, slug: str) -> None:
    slugs = [slug, *(each for each in seen_slugs() if each != slug)][:MOST_SEEN]
    if slugs != seen_slugs():
        _keep(answer, SEEN, ".".join(slugs))


def forget_seen(answer: Response) -> None:
    answer.delete_cookie(SEEN)


def destination(origin: str) -> tuple[str, str, bool]:
    """(region code, its name, whether what was typed was understood): what the address asks for,
    else what this browser said before, else the province the goods come from."""
    typed = request.args.get(TO, "").strip()
    if typed:
        code = typed if _CODE.fullmatch(typed) else queries.region_typed(session(), typed)
        if code and (name := _name(code)):
            return code, name, True
    kept = request.cookies.get(TO, "")
    if _CODE.fullmatch(kept) and (name := _name(kept)):
        return kept, name, not typed
    code = province_of(origin)
    return code, _name(code), not typed


def _name(code: str) -> str:
    name: str = remembered(
        ("place", code), lambda: queries.names_of_regions(session(), [code]).get(code, "")
    )
    return name


def remember_destination(answer: Response, code: str) -> None:
    if request.args.get(TO) and request.cookies.get(TO) != code:
        _keep(answer, TO, code)


def _keep(answer: Response, name: str, value: str) -> None:
    answer.set_cookie(
        name, value, max_age=MONTH, httponly=True, samesite="Lax",
        secure=services().config.production,
    )  # fmt: skip

"""What search engines ask for: the list of public pages, and what they need not read."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from catalog.lots.queries import names_on_shelf, village_sheets
from kernel.web.access import public
from kernel.web.work import services, session, today
from shop.storefront import queries

bp = Blueprint("machines", __name__)

HOUR = 3600
PAGES = ("/", "/products", "/calendar", "/impact", "/trace", "/help", "/accessibility")
# Nobody's business but the visitor's own, or endless combinations of filters.
CLOSED = (
    "/account", "/admin", "/audit", "/canteen", "/cart", "/checkout", "/coop", "/helper",
    "/lang", "/office", "/orders", "/reviews", "/search", "/settings", "/sign-in",
)  # fmt: skip


@bp.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """Every public page once, with its address outside."""
    day = today()
    kinds, _ = queries.filters(session(), day)
    paths = [
        *PAGES,
        *(f"/categories/{each.key}" for each in kinds),
        *(f"/villages/{each.code}" for each in village_sheets(session(), [""], today=day)),
        *(f"/products/{each.slug}" for each in names_on_shelf(session(), today=day)),
    ]
    page = render_template("storefront/sitemap.xml", site=services().config.public_url, paths=paths)
    return _kept(Response(page, mimetype="application/xml"))


@bp.get("/robots.txt")
@public
def robots() -> Response:
    closed = "".join(f"Disallow: {each}\n" for each in CLOSED)
    site = services().config.public_url
    text = f"User-agent: *\n{closed}\nSitemap: {site}/sitemap.xml\n"
    return _kept(Response(text, mimetype="text/plain"))


def _kept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = f"public, max-age={HOUR}"
    return answer

"""The page of one product, the letters about it, and the picture beside a shared link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, make_response, render_template, request

from catalog.lots.queries import ProductSheet, product_sheet
from catalog.lots.queries.sheet import PackOffer
from catalog.products.models import Grade
from catalog.products.queries import mandates_behind
from catalog.products.queries.watching import newest_references
from catalog.products.rules.watching import Comparison, Seen, compare
from catalog.suppliers.models import Mandate
from kernel.quantities import BaseUnit
from kernel.web.access import public
from kernel.web.keeping import shared
from kernel.web.work import now, services, session, today
from orders.sales.rules.freight import gross_weight
from orders.shares.queries import sharing_of
from shop.storefront import dividing, offers, promising, queries, share_picture, visiting
from shop.storefront.remembered import remembered
from shop.storefront.structured import product_data

bp = Blueprint("showing", __name__)

LETTERS = 20
DAY = 24 * 3600


@bp.get("/products/<slug>")
@public
@shared
def product(slug: str) -> Response:
    day = today()
    sheet = product_sheet(session(), slug, day)
    key = sheet.product.id
    sharing = sharing_of(session(), [key], day).get(key)
    chosen = chosen_pack(sheet)
    groups = offers.groups_of(sheet, chosen, sharing)
    reviews = queries.reviews_of(session(), key)
    promise, understood = _promise(sheet, chosen)
    seen = _references(key)
    answer = make_response(
        render_template(
            "storefront/product.html",
            chosen=chosen,
            comparison=_compared(chosen, seen),
            data=product_data(sheet, reviews, site=services().config.public_url),
            groups=groups,
            mandate=_mandates(day).get(key),
            offers=sheet.packs,
            paid=remembered(("paid", key), lambda: queries.paid_for_product(session(), key)),
            product=sheet.product,
            promise=promise,
            references=seen,
            reviews=reviews,
            seen=visiting.seen_products(but=slug),
            share=dividing.households_get(groups),
            sharing=sharing,
            sheet=sheet,
            understood=understood,
        )
    )
    visiting.remember_seen(answer, slug)
    if promise is not None and understood:
        visiting.remember_destination(answer, promise.region)
    return answer


def _mandates(day: date) -> Mapping[int, Mandate]:
    """Who gave what to be sold by others; there are few, so they are asked for together."""
    return remembered(("mandates", day), lambda: mandates_behind(session(), day))


def chosen_pack(sheet: ProductSheet) -> PackOffer | None:
    """The pack the address asks for, else the usual one."""
    wanted = request.args.get("pack", "")
    asked = (each for each in sheet.packs if str(each.pack.id) == wanted)
    return next(asked, offers.usual(sheet))


def _promise(
    sheet: ProductSheet, chosen: PackOffer | None
) -> tuple[promising.Promise | None, bool]:
    """What delivery of one such pack costs, when it is there, and whether the place was clear."""
    day = today()
    senders = remembered(("senders", day), lambda: queries.senders(session(), day))
    sender = senders.get(sheet.product.supplier_id)
    if sender is None or chosen is None or chosen.pack.price is None:
        return None, True
    region, place, understood = visiting.destination(sender.origin)
    pack = chosen.pack
    grams = gross_weight(
        content=pack.content,
        gross_g=pack.gross_g,
        weighed=sheet.product.base_unit is BaseUnit.GRAM,
        quantity=pack.content,
    )
    found = promising.promise_to(
        sender, region, place, grams=grams, price=chosen.pack.price, now=now()
    )
    return found, understood


def _references(product_id: int) -> list[Seen]:
    day = today()
    found: list[Seen] = remembered(
        ("references", product_id, day),
        lambda: newest_references(session(), [product_id], day).get(product_id, []),
    )
    return found


def _compared(chosen: PackOffer | None, seen: list[Seen]) -> Comparison | None:
    """What is written down elsewhere is the usual, first grade; so only that is compared."""
    if chosen is None or not seen or chosen.pack.grade is Grade.SECOND:
        return None
    return compare(chosen.unit_price, seen, today())


@bp.get("/products/<slug>/reviews")
@public
@shared
def letters(slug: str) -> str:
    """Everything those who bought it wrote, twenty a page."""
    sheet = product_sheet(session(), slug, today())
    typed = request.args.get("page", "")
    page = max(1, int(typed)) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else 1
    found = queries.reviews_of(
        session(), sheet.product.id, limit=LETTERS + 1, offset=(page - 1) * LETTERS
    )
    return render_template(
        "storefront/letters.html",
        more=len(found.letters) > LETTERS,
        page=page,
        product=sheet.product,
        reviews=found,
        shown=found.letters[:LETTERS],
    )


@bp.get("/products/<slug>/share.png")
@public
def share_image(slug: str) -> Response:
    """1200 × 630, for the apps in which people show a link to others."""
    sheet = product_sheet(session(), slug, today())
    sharing = sharing_of(session(), [sheet.product.id], today()).get(sheet.product.id)
    chosen = offers.usual(sheet)
    words = share_picture.words_of(sheet, chosen, offers.groups_of(sheet, chosen, sharing))
    photo = share_picture.photo_of(session(), sheet.product)
    drawn = share_picture.drawn(words, services().storage, photo)
    answer = Response(drawn, mimetype="image/png")
    answer.headers["Cache-Control"] = f"public, max-age={DAY}"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]

"""The operator's desk for products: what waits, before and after, admitted or returned."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.products import operations, queries
from catalog.products.forms import read_off, read_return
from catalog.products.models import (
    Grade,
    OffReason,
    ProductState,
    ProductVersion,
    RejectReason,
    Shelf,
    VersionState,
)
from catalog.products.rules.offering import written_seasons
from catalog.products.rules.versions import changes
from kernel.actors import Role
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction

bp = Blueprint("product_reviews", __name__, url_prefix="/admin/products")


@bp.get("")
@requires(Role.OPERATOR)
def index() -> str:
    return _list()


def _list(errors: dict[str, Text] | None = None) -> str:
    return render_template(
        "admin/products.html",
        waiting=queries.waiting_versions(session()),
        decided=queries.decided_versions(session()),
        products=queries.all_products(session()),
        reasons=OffReason,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.get("/<int:version_id>")
@requires(Role.OPERATOR)
def show(version_id: int) -> str:
    return _page(version_id)


def _page(version_id: int, errors: dict[str, Text] | None = None) -> str:
    version = queries.version_sheet(session(), version_id)
    before = version.before or queries.content_of(version.product)
    first = version.product.state is ProductState.IN_REVIEW
    packs = {pack.id: pack for pack in version.product.packs}
    return render_template(
        "admin/product.html",
        version=version,
        product=version.product,
        first=first,
        changes=changes(before, version.content),
        prices=[
            (packs[each["pack_id"]], each)
            for each in version.content.get("prices", [])
            if each["pack_id"] in packs
        ],
        before=before,
        categories={each.id: each for each in queries.categories(session())},
        photos=queries.photos_by_id(session(), _photo_ids(version, before)),
        packs=[pack for pack in version.product.packs if pack.on_sale],
        rejections=RejectReason,
        waiting=version.state is VersionState.WAITING,
        seasons=written_seasons,
        shelves={each.value: each for each in Shelf},
        grades={each.value: each for each in Grade},
        Money=Money,
        Price=Price,
        form=request.form if errors else {},
        chosen=request.form.getlist("reasons"),
        errors=errors or {},
    )


def _photo_ids(version: ProductVersion, before: dict[str, object]) -> list[int]:
    said = [*version.content["photos"], *before.get("photos", [])]  # type: ignore[misc]
    return [each["id"] for each in said]


def _edition() -> int:
    typed = request.form.get("edition", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


@bp.post("/<int:version_id>/admit")
@requires(Role.OPERATOR)
@once
def admit(version_id: int) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            operations.admit_version(work, version_id, edition=_edition(), by=actor(), now=now())
    except Refusal as refusal:
        reasons = refusal.reasons or (refusal.sentence,)
        found = {f"admit-{n}": each for n, each in enumerate(reasons)}
        return _page(version_id, found), refusal.status
    flash(_("Admitted; the shop shows it."), "done")
    return redirect(url_for("product_reviews.index"), code=303)


@bp.post("/<int:version_id>/return")
@requires(Role.OPERATOR)
@once
def give_back(version_id: int) -> Response | tuple[str, int]:
    try:
        reasons, remark = read_return(request.form, request.form.getlist("reasons"))
        with transaction() as work:
            operations.return_version(
                work,
                version_id,
                edition=_edition(),
                reasons=reasons,
                remark=remark,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(version_id, invalid.errors), invalid.status
    flash(_("Returned to the cooperative with your reasons."), "done")
    return redirect(url_for("product_reviews.index"), code=303)


@bp.post("/<int:product_id>/stop")
@requires(Role.OPERATOR)
@once
def stop(product_id: int) -> Response | tuple[str, int]:
    """Off sale at once, for whatever reason there is."""
    try:
        why, reason = read_off(request.form, own=False)
        with transaction() as work:
            operations.take_off_sale(
                work, product_id, reason=reason, why=why, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _list(invalid.errors), invalid.status
    flash(_("It is off sale. What was ordered stays ordered."), "done")
    return redirect(url_for("product_reviews.index"), code=303)


@bp.post("/<int:product_id>/allow")
@requires(Role.OPERATOR)
@once
def allow(product_id: int) -> Response:
    with transaction() as work:
        operations.put_on_sale(work, product_id, by=actor(), now=now())
    flash(_("It is on sale."), "done")
    return redirect(url_for("product_reviews.index"), code=303)

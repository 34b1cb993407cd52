"""The cooperative's products: list, editor, photos, packs, their prices and what there is of each.

They stand in this room and not below because availability is known here."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots.queries.stands import NOTHING, stands_of
from catalog.products import operations, queries
from catalog.products.forms import (
    NEW_PACKS,
    read_new_product,
    read_off,
    read_pack_price,
    read_pictures,
    read_version,
    written_steps,
)
from catalog.products.models import Grade, OffReason, Pack, Product, RejectReason, Shelf
from catalog.products.rules.offering import OWN_REASONS, written_seasons
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.pictures import NotAPicture, put_picture
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction

bp = Blueprint("products", __name__, url_prefix="/coop/products")

EDITS = (Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*COOPERATIVE)
def index() -> str:
    """Every product with its state, its packs and what is being changed."""
    return _list()


def _list(errors: dict[str, Text] | None = None) -> str:
    supplier = supplier_of(session(), organisation_id())
    products = queries.products_with_packs(session(), supplier.id)
    return render_template(
        "coop/products.html",
        products=products,
        versions=queries.versions_in_short(session(), [each.id for each in products]),
        stands=stands_of(session(), [each.id for each in products], today=today()),
        nothing=NOTHING,
        categories=queries.categories(session()),
        may_edit=actor().role in EDITS,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/new")
@requires(*EDITS)
@once
def create() -> Response | tuple[str, int]:
    try:
        values = read_new_product(request.form)
        with transaction() as work:
            supplier = supplier_of(work, organisation_id())
            product = operations.create_product(
                work, supplier_id=supplier.id, **values, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _list(invalid.errors), invalid.status
    except Refusal as refusal:
        return _list({"code": refusal.sentence}), refusal.status
    flash(_("The draft is made. Describe it, add packs and photos, then submit it."), "done")
    return _to(product.id)


@bp.get("/<int:product_id>")
@requires(*COOPERATIVE)
def edit(product_id: int) -> str:
    return _editor(product_id)


def _editor(product_id: int, errors: dict[str, Text] | None = None) -> str:
    supplier = supplier_of(session(), organisation_id())
    product = queries.product_sheet_of(session(), supplier.id, product_id)
    version = queries.open_version(session(), product.id)
    decided = queries.last_decided(session(), product.id)
    content = queries.content_to_edit(product, version, decided)
    return render_template(
        "coop/product.html",
        product=product,
        version=version,
        decided=decided,
        content=content,
        photos=queries.photos_by_id(session(), [each["id"] for each in content["photos"]]),
        stands=stands_of(session(), [product.id], today=today()),
        nothing=NOTHING,
        history=queries.pack_history(session(), product.id),
        categories=queries.categories(session()),
        new_packs=range(1, NEW_PACKS + 1),
        shelves=Shelf,
        grades=Grade,
        Money=Money,
        Price=Price,
        Reject=RejectReason,
        reasons=[each for each in OffReason if each.value in OWN_REASONS],
        steps=written_steps,
        seasons=written_seasons,
        may_edit=actor().role in EDITS,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


def _own(product_id: int) -> Product:
    supplier = supplier_of(session(), organisation_id())
    return queries.product_of(session(), supplier.id, product_id)


def _to(product_id: int, mark: str = "") -> Response:
    return redirect(url_for("products.edit", product_id=product_id) + mark, code=303)


@bp.post("/<int:product_id>/version")
@requires(*EDITS)
@once
def save(product_id: int) -> Response | tuple[str, int]:
    """Kept, or kept and submitted."""
    product = _own(product_id)
    version = queries.open_version(session(), product.id)
    sheet = queries.product_sheet_of(session(), product.supplier_id, product.id)
    decided = queries.last_decided(session(), product.id)
    content = queries.content_to_edit(sheet, version, decided)
    submit = request.form.get("do") == "submit"
    try:
        said = read_version(request.form, product.base_unit, content["photos"])
        typed = request.form.get("edition", "")
        edition = int(typed) if version and typed.isascii() and typed.isdigit() else None
        with transaction() as work:
            operations.save_version(work, product_id, said, edition=edition, by=actor(), now=now())
            if submit:
                operations.submit_version(work, product_id, by=actor(), now=now())
    except Invalid as invalid:
        return _editor(product_id, invalid.errors), invalid.status
    except Refusal as refusal:
        found = {f"version-{n}": each for n, each in enumerate(refusal.reasons)}
        return _editor(product_id, found or {"version": refusal.sentence}), refusal.status
    flash(_("Submitted. The shop shows it when the operator has admitted it.")
          if submit else _("Kept. The shop shows nothing of it yet."), "done")  # fmt: skip
    return _to(product_id)


@bp.post("/<int:product_id>/photos")
@requires(*EDITS)
@once
def upload(product_id: int) -> Response | tuple[str, int]:
    """Photos are drawn anew before the transaction begins; the originals are not kept."""
    _own(product_id)
    try:
        rendered = []
        for content, name in read_pictures(request.files.getlist("photos")):
            try:
                rendered.append(put_picture(services().storage, content, name=name))
            except NotAPicture as refused:
                sentence = Text("%(name)s: %(why)s", name=name, why=refused.sentence)
                raise Invalid({"photos": sentence}) from None
        with transaction() as work:
            operations.add_photos(work, product_id, rendered, by=actor(), now=now())
    except Invalid as invalid:
        return _editor(product_id, invalid.errors), invalid.status
    flash(_("The photos are here. Say of each in a few words what it shows."), "done")
    return _to(product_id, "#photos")


@bp.post("/<int:product_id>/withdraw")
@requires(*EDITS)
@once
def withdraw(product_id: int) -> Response:
    _own(product_id)
    with transaction() as work:
        operations.withdraw_version(work, product_id, by=actor(), now=now())
    flash(_("Withdrawn; you can go on writing."), "done")
    return _to(product_id)


@bp.post("/<int:product_id>/off")
@requires(*EDITS)
@once
def take_off(product_id: int) -> Response | tuple[str, int]:
    _own(product_id)
    try:
        why, reason = read_off(request.form, own=True)
        with transaction() as work:
            operations.take_off_sale(
                work, product_id, reason=reason, why=why, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _editor(product_id, invalid.errors), invalid.status
    flash(_("It is off sale. What was ordered stays ordered."), "done")
    return _to(product_id)


@bp.post("/<int:product_id>/on")
@requires(*EDITS)
@once
def resume(product_id: int) -> Response:
    _own(product_id)
    with transaction() as work:
        operations.resume_sale(work, product_id, by=actor(), now=now())
    flash(_("It is on sale."), "done")
    return _to(product_id)


@bp.post("/<int:product_id>/end")
@requires(*EDITS)
@once
def end(product_id: int) -> Response:
    _own(product_id)
    with transaction() as work:
        operations.end_product(work, product_id, by=actor(), now=now())
    flash(_("It ended and is not sold again."), "done")
    return _to(product_id)


def _own_pack(pack_id: int) -> Pack:
    """The pack with its product, if the product is ours."""
    return queries.pack_of(session(), supplier_of(session(), organisation_id()).id, pack_id)


@bp.post("/packs/<int:pack_id>/price")
@requires(*EDITS)
@once
def price(pack_id: int) -> Response | tuple[str, int]:
    """At once; a rise the operator must see goes into the version instead, said plainly."""
    pack = _own_pack(pack_id)
    by = actor()
    try:
        value, steps = read_pack_price(request.form, pack)
        try:
            with transaction() as work:
                operations.change_price(work, pack_id, value=value, steps=steps, by=by, now=now())
        except operations.RisesTooMuch as refusal:
            with transaction() as work:
                operations.propose_price(work, pack_id, value=value, steps=steps, by=by, now=now())
            flash(_(refusal.sentence.message) % refusal.sentence.values, "alarm")
            flash(_("It was put into the version below; submit it."), "calm")
            return _to(pack.product_id)
    except Invalid as invalid:
        named = {f"{name}-{pack_id}": each for name, each in invalid.errors.items()}
        return _editor(pack.product_id, named), invalid.status
    flash(_("The price holds from now on. Orders that were placed keep theirs."), "done")
    return _to(pack.product_id, "#packs")


@bp.post("/packs/<int:pack_id>/retire")
@requires(*EDITS)
@once
def retire(pack_id: int) -> Response:
    pack = _own_pack(pack_id)
    with transaction() as work:
        operations.retire_pack(work, pack_id, by=actor(), now=now())
    flash(_("This pack is not offered any more."), "done")
    return _to(pack.product_id, "#packs")


@bp.post("/packs/<int:pack_id>/again")
@requires(*EDITS)
@once
def again(pack_id: int) -> Response:
    pack = _own_pack(pack_id)
    with transaction() as work:
        operations.offer_pack_again(work, pack_id, by=actor(), now=now())
    flash(_("This pack is offered again."), "done")
    return _to(pack.product_id, "#packs")

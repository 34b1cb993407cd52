"""Goods sold for others: the seller brings the paper, the grower agrees, either may end it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from catalog.products import operations as products
from catalog.products.queries import goods_of, products_of, products_under
from catalog.suppliers import operations, queries
from catalog.suppliers.forms import read_goods, read_mandate, read_scan
from catalog.suppliers.models import MandateState
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from shop.suppliers.queries import open_orders_with, stopped_by_mandate

bp = Blueprint("mandates", __name__)


@bp.get("/coop/mandates")
@requires(*COOPERATIVE)
def show() -> str:
    return _page()


def _page(errors: dict[str, Text] | None = None) -> str:
    supplier = queries.supplier_of(session(), organisation_id())
    rows = queries.mandates_of(session(), supplier.id, today())
    stopped = stopped_by_mandate(session(), supplier.id, today())
    return render_template(
        "suppliers/mandates.html",
        supplier=supplier,
        rows=rows,
        goods=products_under(session(), [each.mandate.id for each in rows]),
        own=products_of(session(), supplier.id),
        further=goods_of(session(), {each.mandate.agent_id for each in rows} - {supplier.id}),
        principals=queries.possible_principals(session(), supplier.id),
        stopped=stopped,
        may_return=[each for each in stopped if each.may_return],
        orders=open_orders_with(session(), supplier.id, [each.product.id for each in stopped]),
        MandateStates=MandateState,
        may_write=actor().role is Role.MANAGER,
        chosen=read_goods(request.form) if errors else [],
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/coop/mandates")
@requires(Role.MANAGER)
@once
def propose() -> Response | tuple[str, int]:
    """Every mistake of the form and of the file is said at once; the file is chosen again."""
    errors: dict[str, Text] = {}
    given, paper = {}, None
    try:
        given = read_mandate(request.form)
    except Invalid as invalid:
        errors |= invalid.errors
    try:
        read = read_scan(request.files.get("paper"), "paper", required=True)
        assert read is not None
        paper = services().storage.put(read[0], media_type=read[1], name=read[2])
    except Invalid as invalid:
        errors |= invalid.errors
    if errors or paper is None:
        return _page(errors), 422
    try:
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            mandate = operations.propose_mandate(
                work, supplier.id, **given, paper=paper, by=actor(), now=now()
            )
            if mandate.state is MandateState.PROPOSED:
                products.name_goods(
                    work, supplier.id, mandate.id, read_goods(request.form), by=actor(), now=now()
                )
    except Invalid as invalid:
        return _page(invalid.errors), 422
    flash(_("Recorded. It holds as soon as whoever grew the goods has agreed."), "done")
    return _home()


@bp.post("/coop/mandates/<int:mandate_id>/agree")
@requires(Role.MANAGER)
@once
def agree(mandate_id: int) -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        operations.agree_mandate(work, supplier.id, mandate_id, by=actor(), now=now())
        products.take_off_lapsed(work, by=actor(), now=now())
    flash(_("Agreed. It holds on the days it names."), "done")
    return _home()


@bp.post("/coop/mandates/<int:mandate_id>/goods")
@requires(Role.MANAGER)
@once
def name_goods(mandate_id: int) -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        made = products.name_goods(
            work, supplier.id, mandate_id, read_goods(request.form), by=actor(), now=now()
        )
        products.take_off_lapsed(work, by=actor(), now=now())
    flash(ngettext("%(num)d product was added.", "%(num)d products were added.", len(made)), "done")
    return _home()


@bp.post("/coop/mandates/<int:mandate_id>/close")
@requires(Role.MANAGER)
@once
def close(mandate_id: int) -> Response | tuple[str, int]:
    """The grower declines what is only proposed; everything else is ended by either side."""
    try:
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            mandate = queries.mandate_of(work, supplier.id, mandate_id)
            says_no = mandate.state is MandateState.PROPOSED and mandate.principal_id == supplier.id
            verb = operations.decline_mandate if says_no else operations.end_mandate
            sentence = request.form.get("sentence", "")
            verb(work, supplier.id, mandate_id, sentence=sentence, by=actor(), now=now())
            taken = products.take_off_lapsed(work, by=actor(), now=now())
    except Invalid as invalid:
        return _page({f"sentence-{mandate_id}": invalid.errors["sentence"]}), 422
    _say_ended(len(taken))
    return _home()


@bp.post("/admin/suppliers/<code>/mandates/<int:mandate_id>/close")
@requires(Role.OPERATOR)
@once
def revoke(code: str, mandate_id: int) -> Response:
    """The operator ends a mandate; its goods are off sale in the same moment."""
    with transaction() as work:
        supplier = queries.supplier_by_code(work, code)
        mandate = queries.mandate_of(work, supplier.id, mandate_id)
        sentence = request.form.get("sentence", "")
        operations.end_mandate(work, None, mandate.id, sentence=sentence, by=actor(), now=now())
        taken = products.take_off_lapsed(work, by=actor(), now=now())
    _say_ended(len(taken))
    return redirect(url_for("admin_suppliers.show", code=code), code=303)  # type: ignore[return-value]


def _say_ended(taken: int) -> None:
    flash(
        _("Ended.")
        + " "
        + ngettext("%(num)d product is off sale.", "%(num)d products are off sale.", taken),
        "done",
    )


@bp.post("/coop/mandates/put-back")
@requires(Role.MANAGER)
@once
def put_back() -> Response:
    """What went off sale with a mandate is on sale again, now that another one holds."""
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        found = stopped_by_mandate(work, supplier.id, today())
        ready = [each.product.id for each in found if each.may_return]
        for product_id in ready:
            products.put_on_sale(work, product_id, by=actor(), now=now())
    flash(
        ngettext(
            "%(num)d product is on sale again.", "%(num)d products are on sale again.", len(ready)
        ),
        "done",
    )
    return _home()


def _home() -> Response:
    return redirect(url_for("mandates.show"), code=303)  # type: ignore[return-value]

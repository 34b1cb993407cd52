"""Certificates: recorded, renewed, withdrawn, with the goods and open orders behind them (G24)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from catalog.products import operations as products
from catalog.products.queries import products_of
from catalog.suppliers import operations, queries
from catalog.suppliers.forms import read_certificate, read_scan
from catalog.suppliers.models import CertificateKind, Supplier
from catalog.suppliers.rules import stops
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.storage import Blob
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from shop.suppliers.queries import open_orders_with, stopped_by_papers

bp = Blueprint("certificates", __name__)


@bp.get("/coop/certificates")
@requires(*COOPERATIVE)
def show() -> str:
    return _own_page()


@bp.get("/admin/suppliers/<code>/certificates")
@requires(Role.OPERATOR)
def of_supplier(code: str) -> str:
    return _page(queries.supplier_by_code(session(), code), {}, nav="admin.suppliers")


def _own_page(errors: dict[str, Text] | None = None) -> str:
    supplier = queries.supplier_of(session(), organisation_id())
    return _page(supplier, errors or {}, nav="coop.certificates")


def _page(supplier: Supplier, errors: dict[str, Text], *, nav: str) -> str:
    stopped = stopped_by_papers(session(), supplier.id, today())
    goods = products_of(session(), supplier.id)
    own = actor().role is Role.MANAGER
    return render_template(
        "suppliers/certificates.html",
        nav=nav,
        supplier=supplier,
        rows=queries.certificate_rows(session(), supplier.id, today()),
        behind={
            kind.value: sum(stops({kind.value}, fresh=each.fresh) for each in goods)
            for kind in CertificateKind
        },
        stopped=stopped,
        may_return=[each for each in stopped if each.may_return],
        orders=open_orders_with(session(), supplier.id, [each.product.id for each in stopped]),
        kinds=CertificateKind,
        may_add=own,
        may_withdraw=own or actor().role is Role.OPERATOR,
        renewing=request.values.get("renew", type=int),
        day=today(),
        form=request.form if errors else {},
        errors=errors,
    )


@bp.post("/coop/certificates")
@requires(Role.MANAGER)
@once
def add() -> Response | tuple[str, int]:
    return _record(read_certificate, operations.add_certificate)


@bp.post("/coop/certificates/<int:certificate_id>/renew")
@requires(Role.MANAGER)
@once
def renew(certificate_id: int) -> Response | tuple[str, int]:
    def record(work: Session, supplier_id: int, **given: Any) -> object:
        return operations.renew_certificate(work, supplier_id, certificate_id, **given)

    return _record(lambda form: read_certificate(form, with_kind=False), record)


def _record(
    read: Callable[..., dict[str, Any]], record: Callable[..., object]
) -> Response | tuple[str, int]:
    """Every mistake of the form and of the file is said at once; the file is chosen again."""
    errors: dict[str, Text] = {}
    values: dict[str, Any] = {}
    blob: Blob | None = None
    try:
        values = read(request.form)
    except Invalid as invalid:
        errors |= invalid.errors
    try:
        blob = _scan()
    except Invalid as invalid:
        errors |= invalid.errors
    if errors:
        return _own_page(errors), 422
    try:
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            record(work, supplier.id, **values, scan=blob, by=actor(), now=now())
            products.take_off_lapsed(work, by=actor(), now=now())
    except Invalid as invalid:
        return _own_page(invalid.errors), 422
    flash(_("The certificate is recorded."), "done")
    return redirect(url_for("certificates.show"), code=303)  # type: ignore[return-value]


def _scan() -> Blob | None:
    read = read_scan(request.files.get("scan"), "scan")
    if read is None:
        return None
    content, media_type, name = read
    return services().storage.put(content, media_type=media_type, name=name)


@bp.post("/coop/certificates/<int:certificate_id>/withdraw")
@requires(Role.MANAGER)
@once
def withdraw(certificate_id: int) -> Response | tuple[str, int]:
    supplier = queries.supplier_of(session(), organisation_id())
    try:
        _withdraw(supplier.id, certificate_id)
    except Invalid as invalid:
        return _own_page(invalid.errors), 422
    return redirect(url_for("certificates.show"), code=303)  # type: ignore[return-value]


@bp.post("/admin/suppliers/<code>/certificates/<int:certificate_id>/withdraw")
@requires(Role.OPERATOR)
@once
def revoke(code: str, certificate_id: int) -> Response | tuple[str, int]:
    supplier = queries.supplier_by_code(session(), code)
    try:
        _withdraw(supplier.id, certificate_id)
    except Invalid as invalid:
        return _page(supplier, invalid.errors, nav="admin.suppliers"), 422
    return redirect(url_for("certificates.of_supplier", code=code), code=303)  # type: ignore[return-value]


def _withdraw(supplier_id: int, certificate_id: int) -> None:
    """What may not be sold without it is off sale in the same moment."""
    fields = Fields(request.form)
    reason = fields.text("reason", most=200)
    fields.done()
    with transaction() as work:
        found = queries.certificate_of(work, supplier_id, certificate_id)
        operations.withdraw_certificate(work, found.id, reason=reason, by=actor(), now=now())
        taken = products.take_off_lapsed(work, by=actor(), now=now())
    flash(
        _("Withdrawn.")
        + " "
        + ngettext("%(num)d product is off sale.", "%(num)d products are off sale.", len(taken)),
        "done",
    )


@bp.post("/coop/certificates/put-back")
@requires(Role.MANAGER)
@once
def put_back() -> Response:
    """What went off sale with a certificate is on sale again, now that it is renewed."""
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        ready = [
            each.product.id
            for each in stopped_by_papers(work, supplier.id, today())
            if each.may_return
        ]
        for product_id in ready:
            products.put_on_sale(work, product_id, by=actor(), now=now())
    flash(
        ngettext(
            "%(num)d product is on sale again.", "%(num)d products are on sale again.", len(ready)
        ),
        "done",
    )
    return redirect(url_for("certificates.show"), code=303)  # type: ignore[return-value]

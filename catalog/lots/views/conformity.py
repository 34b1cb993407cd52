"""The certificate of conformity of a lot: read, issued anew, printed on A4 or as a label."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.lots import operations, queries
from catalog.lots.models import CommitmentBasis, ConformityCertificate, Lot
from catalog.lots.views.scope import STORES, own_supplier
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Missing, Text
from kernel.pdf import make_pdf, qr_svg
from kernel.quantities import BaseUnit
from kernel.speech import say_in
from kernel.web.access import actor, public, requires
from kernel.web.filters import quantity
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction

bp = Blueprint("conformity", __name__, url_prefix="/coop/lots/<code>/certificate")
public_bp = Blueprint("public_certificates", __name__, url_prefix="/trace/<code>/certificates")

# What whoever signs promises, word for word as the certificate of the ministry has it.
PROMISES = (
    Text("Pesticides and additives that are forbidden were not used."),
    Text("Residues of ordinary pesticides and veterinary drugs do not exceed the limits."),
    Text("Whoever signs answers for the truth of this promise."),
)


@bp.get("")
@requires(*COOPERATIVE)
def show(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None) -> str:
    sheet = queries.lot_sheet(session(), own_supplier(session()).id, code)
    issued = queries.conformity_of(session(), sheet.lot.id)
    own = {each.contribution_id: each for each in issued if each.contribution_id}
    of_lot = [each for each in issued if not each.contribution_id]
    return render_template(
        "coop/conformity.html",
        lot=sheet.lot,
        parts=[part for part in sheet.contributions if not part.reversed_at or part.id in own],
        nothing_left=not sheet.parts,
        places=sheet.places,
        own=own,
        newest=of_lot[-1] if of_lot else None,
        before=of_lot[:-1][::-1],
        bases=CommitmentBasis,
        promises=PROMISES,
        iso_day=date.fromisoformat,
        may_issue=actor().role in STORES,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("")
@requires(*STORES)
@once
def issue(code: str) -> Response | tuple[str, int]:
    """The lot's certificate, or with `part` the one of the household that brought it."""
    fields = Fields(request.form)
    basis = fields.choice("basis", CommitmentBasis)
    part = fields.key("part") if fields.has("part") else None
    try:
        fields.done()
        with transaction() as work:
            supplier_id = own_supplier(work).id
            lot_id = queries.lot_of(work, supplier_id, code).id
            if part is None:
                made = operations.issue_certificate(
                    work, supplier_id, lot_id, basis=basis, by=actor(), now=now()
                )
            else:
                made = operations.issue_household_certificate(
                    work, supplier_id, lot_id, part, basis=basis, by=actor(), now=now()
                )
            number = made.number
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(_("Certificate %(number)s is issued.", number=number), "done")
    return redirect(url_for("conformity.show", code=code), code=303)  # type: ignore[return-value]


@bp.get("/<number>.pdf")
@requires(*COOPERATIVE)
def paper(code: str, number: str) -> Response:
    """On A4, or with `?size=label` on a label of 100 × 70 mm; Chinese, as the law has it."""
    lot = queries.lot_of(session(), own_supplier(session()).id, code)
    issued = queries.conformity_by_number(session(), lot.id, number)
    answer = _printed(lot, issued)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@public_bp.get("/<number>.pdf")
@public
def public_paper(code: str, number: str) -> Response:
    """The lot's own certificate for whoever holds a bag of it: the law wants it to go with the
    goods. A household's certificate names the household: for the public there is none."""
    lot, _bag = queries.find_code(session(), code)
    issued = queries.conformity_by_number(session(), lot.id, number)
    if issued.contribution_id is not None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return _printed(lot, issued)


def _printed(lot: Lot, issued: ConformityCertificate) -> Response:
    content = issued.content
    address = f"{services().config.public_url}/trace/{lot.trace_key}"
    data = {
        **content,
        "number": issued.number,
        "void": queries.is_void(session(), issued),
        "size": "label" if request.args.get("size") == "label" else "a4",
        "weight": quantity(content["quantity"], BaseUnit(content["unit"])),
        "basis": say_in(issued.basis, "zh"),
        "bases": [(each is issued.basis, say_in(each, "zh")) for each in CommitmentBasis],
        "promises": [say_in(each, "zh") for each in PROMISES],
        "sources": issued.sources,
        "qr": qr_svg(address),
    }
    return Response(
        make_pdf("conformity", data, made=issued.made_at),
        mimetype="application/pdf",
        headers={"Content-Disposition": f"inline; filename={issued.number}.pdf"},
    )

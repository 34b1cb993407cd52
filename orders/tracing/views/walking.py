"""Forward and backward from any code, for the cooperative, the office and the auditor."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from catalog.households.rules import viewer_of
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Missing
from kernel.regions import prefixes
from kernel.text import tidy
from kernel.web.access import acting, actor, organisation_id, requires
from kernel.web.work import session
from orders.tracing.queries.starts import Reach, start_at
from orders.tracing.queries.ways import Walk, walk

bp = Blueprint("walking", __name__)

# A department supervises units, not fields: it has no households and no suppliers to follow.
OFFICIALS = (Role.OFFICIAL, Role.DISTRICT)


@bp.get("/coop/trace")
@requires(*COOPERATIVE)
def of_coop() -> str:
    supplier = supplier_of(session(), organisation_id())
    return _page(Reach(viewer_of(actor().role), supplier_id=supplier.id), "coop.trace")


@bp.get("/office/trace")
@requires(*OFFICIALS)
def of_office() -> str:
    return _page(_regional(), "office.trace")


@bp.get("/audit/trace")
@requires(Role.AUDITOR)
def of_audit() -> str:
    return _page(_regional(), "audit.trace")


def _regional() -> Reach:
    membership = acting()
    assert membership is not None
    found = prefixes(session(), membership.organisation.region_code)
    return Reach(viewer_of(membership.role), prefixes=tuple(found))


def _page(reach: Reach, nav: str) -> str:
    code = tidy(request.args.get("code", ""))[:60]
    found: Walk | None = None
    missing = False
    if code:
        try:
            found = walk(session(), start_at(session(), code, reach), reach)
        except Missing:
            missing = True
    return render_template(
        "tracing/walk.html", code=code, found=found, missing=missing, nav=nav,
        is_coop=reach.supplier_id is not None,
    )  # fmt: skip

"""The unit files its reserved share: form, check your answers, receipt."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import CANTEEN, OFFICE, Role
from kernel.errors import Invalid, Missing, Text
from kernel.money import ZERO, Money, parse_money
from kernel.regions import prefixes
from kernel.text import plain_number
from kernel.versions import FrozenVersion
from kernel.web.access import actor, organisation_id, requires
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import read_filing
from orders.agencies.models import CanteenType, Filing, FilingState
from orders.agencies.queries.figures import unit_figures
from orders.agencies.queries.scope import Scope
from orders.agencies.queries.units import (
    declaration,
    filing_by_code,
    filing_in_force,
    filings_of,
    last_year,
    leading_units,
    open_filing,
    policies_of,
    policy_for,
)
from orders.agencies.rules.filing import (
    Doubt,
    doubts,
    must_reserve,
    reserved_share,
    window_problem,
)
from orders.agencies.rules.rates import growth
from orders.agencies.views.frame import desk_page, my_unit

bp = Blueprint("canteen_filings", __name__, url_prefix="/canteen/filings")

WRITERS = (Role.BUYER, Role.FINANCE)


@bp.get("")
@requires(*CANTEEN)
def index() -> str:
    unit, year = my_unit(), today().year
    years = [year, year + 1]
    policies = policies_of(session(), unit.organisation.region_code, years)
    return desk_page(
        "canteen/filings.html",
        filings=filings_of(session(), unit.id),
        policies=policies,
        year=year,
        closed={
            each: window_problem(policy.filing_from, policy.filing_to, now())
            for each, policy in policies.items()
        },
        in_force={each: filing_in_force(session(), unit.id, each) for each in years},
        under_way={each: open_filing(session(), unit.id, each) for each in years},
    )


@bp.get("/<int:year>")
@requires(*WRITERS)
def edit(year: int) -> str:
    return _form(year)


@bp.post("/<int:year>")
@requires(*WRITERS)
@once
def save(year: int) -> Response | tuple[str, int]:
    """The draft is kept; the answers are read once more before they are sent."""
    unit = my_unit()
    try:
        values = read_filing(request.form, today=today())
        with transaction() as work:
            operations.save_filing(work, unit.id, year, **values, by=actor(), now=now())
    except Invalid as invalid:
        return _form(year, errors=invalid.errors), invalid.status
    return redirect(url_for("canteen_filings.check", year=year), code=303)  # type: ignore[return-value]


@bp.get("/<int:year>/figures")
@requires(*WRITERS)
def figures(year: int) -> str:
    """The sum under the form while somebody types; changes nothing."""
    kind = request.args.get("canteen_type", CanteenType.OWN.value)
    base, ratio_bp = _typed_money("base"), _typed_money("ratio").fen
    share = reserved_share(kind, base, min(ratio_bp, 10_000))
    before = last_year(session(), my_unit().id, year)
    policy = policy_for(session(), my_unit().organisation.region_code, year)
    return render_template(
        "canteen/_filing_figures.html",
        duty=must_reserve(kind),
        base=base,
        ratio_bp=ratio_bp,
        share=share,
        before=before,
        change=growth(share, before.reserved) if before else None,
        floor_bp=policy.ratio_floor_bp,
    )


@bp.get("/<int:year>/check")
@requires(*WRITERS)
def check(year: int) -> str:
    return _check(year)


@bp.post("/<int:year>/submit")
@requires(*WRITERS)
@once
def submit(year: int) -> Response | tuple[str, int]:
    filing = _under_way(year)
    try:
        with transaction() as work:
            sent = operations.submit_filing(work, filing.id, by=actor(), now=now())
            code = _code_of(work, sent)
    except Invalid as invalid:
        return _form(year, errors=_field_names(invalid.errors)), invalid.status
    flash(_("The filing was sent to your department."), "done")
    return redirect(url_for("canteen_filings.receipt", code=code), code=303)  # type: ignore[return-value]


@bp.post("/<int:year>/correct")
@requires(*WRITERS)
@once
def correct(year: int) -> Response:
    """A new version of a filing in force is begun."""
    found = filing_in_force(session(), my_unit().id, year)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    explanation = request.form.get("explanation", "")
    with transaction() as work:
        operations.correct_filing(work, found.id, explanation=explanation, by=actor(), now=now())
    return redirect(url_for("canteen_filings.edit", year=year), code=303)  # type: ignore[return-value]


@bp.get("/<code>/receipt")
@requires(*CANTEEN, *OFFICE, Role.AUDITOR)
def receipt(code: str) -> str:
    """One submitted version, as it was submitted; printable, with its hash."""
    found = filing_by_code(session(), code, _scope())
    return render_template(
        "print/filing.html",
        version=found.version,
        content=found.version.content(),
        canteen_types={each.value: each for each in CanteenType},
        doubts={each.value: each for each in Doubt},
        head=audit.head(session()),
        Money=Money,
    )


def _scope() -> Scope:
    """A unit sees its own receipts, a department those of its units, others their region's."""
    by = actor()
    if by.role in CANTEEN:
        return Scope(unit_id=my_unit().id)
    if by.role is Role.DEPARTMENT:
        return Scope(supervisor_id=organisation_id())
    return Scope(prefixes=tuple(prefixes(session(), by.region_code or "")))


def _form(year: int, errors: dict[str, Text] | None = None) -> str:
    unit = my_unit()
    filing = open_filing(session(), unit.id, year)
    if filing is not None and filing.state not in (FilingState.DRAFT, FilingState.RETURNED):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    day = today()
    [before] = unit_figures(session(), Scope(unit_id=unit.id), year=year - 1, as_of=day, today=day)
    return desk_page(
        "canteen/filing_form.html",
        year=year,
        filing=filing,
        policy=policy_for(session(), unit.organisation.region_code, year),
        before=before,
        named_units=[(each.id, each.organisation.name) for each in leading_units(session(), unit)],
        canteen_types=[(each.value, say(each)) for each in CanteenType],
        form=request.form,
        errors=errors or {},
    )


def _check(year: int) -> str:
    unit = my_unit()
    filing = _under_way(year)
    policy = policy_for(session(), unit.organisation.region_code, year)
    declared = declaration(session(), filing, unit)
    before = last_year(session(), unit.id, year)
    return desk_page(
        "canteen/filing_check.html",
        year=year,
        filing=filing,
        policy=policy,
        before=before,
        doubts=doubts(declared, floor_bp=policy.ratio_floor_bp, last_year=before),
        leading={each.id: each for each in leading_units(session(), unit)},
    )


def _under_way(year: int) -> Filing:
    found = open_filing(session(), my_unit().id, year)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def _code_of(work: Session, filing: Filing) -> str:
    version = work.get(FrozenVersion, filing.frozen_id)
    assert version is not None
    return version.code


def _field_names(errors: dict[str, Text]) -> dict[str, Text]:
    """The rule speaks of basis points, the form of a percentage."""
    return {("ratio" if name == "ratio_bp" else name): text for name, text in errors.items()}


def _typed_money(name: str) -> Money:
    try:
        return parse_money(plain_number(request.args.get(name, "")).rstrip("%"))
    except ValueError:
        return ZERO

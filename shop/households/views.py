"""The register and a household's page. What a reader may not know is not in what is drawn."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from catalog.households import operations, queries
from catalog.households.forms import read_reason
from catalog.households.queries import Listing, Wanted
from catalog.households.rules import Detail, Part, may_reveal
from catalog.lots.queries import producers, slips_of_household
from kernel.actors import COOPERATIVE, OFFICE, Role
from kernel.errors import Invalid, Missing, Text
from kernel.text import tidy
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from shop.households.exporting import register_file
from shop.households.reach import DETAIL_WORDS, Reach, crops, home_of, reach_of, villages_at

bp = Blueprint("households", __name__)
producers_bp = Blueprint("producers", __name__, url_prefix="/coop/households")

DESK = "/<any(coop, office, helper):desk>/households/<code>"
READERS = (*COOPERATIVE, *OFFICE, Role.AUDITOR, Role.HELPER)
PAGE = 50
REVEALED = (Detail.NAME, Detail.IDENTITY, Detail.ACCOUNT)


@producers_bp.get("")
@requires(*COOPERATIVE)
def show_producers() -> str:
    return _register(reach_of(session(), "coop"), Listing.OWN)


@bp.get("/office/households/register")
@requires(*OFFICE, Role.AUDITOR)
def show_register() -> str:
    return _register(reach_of(session(), "office"), Listing.ALL)


def _register(reach: Reach, usual: Listing) -> str:
    wanted = _wanted(usual)
    number = max(1, request.args.get("page", 1, type=int))
    found = queries.register(
        session(), reach.whose, wanted, today=today(), offset=PAGE * (number - 1), limit=PAGE
    )
    ids = [row.id for row in found.rows]
    brought = (
        producers(session(), reach.supplier_id, year=today().year, household_ids=ids)
        if reach.supplier_id
        else []
    )
    return render_template(
        "households/register.html",
        reach=reach,
        found=found,
        wanted=wanted,
        usual=usual,
        listings=queries.listings_for(reach.whose),
        villages=villages_at(session(), reach) if reach.whose.prefixes else {},
        brought={each.household.id: each for each in brought},
        page=number,
        per_page=PAGE,
        may_register=reach.may(Part.REGISTER),
        year=today().year,
    )


def _wanted(usual: Listing) -> Wanted:
    asked = request.values.get("show", "")
    return Wanted(
        text=tidy(request.values.get("q", ""))[:60],
        village=tidy(request.values.get("village", ""))[:12],
        listing=next((each for each in Listing if each.value == asked), usual),
    )


@bp.post("/<any(coop, office):desk>/households/export")
@requires(*COOPERATIVE, *OFFICE, Role.AUDITOR)
def export(desk: str) -> Response:
    """The list as it is filtered, as far as its reader may see it; the trail says who took it."""
    with transaction() as work:
        reach = reach_of(work, desk)
        content, rows = register_file(
            work, reach, _wanted(Listing.OWN if desk == "coop" else Listing.ALL)
        )
        operations.note_export(work, rows=rows, by=actor(), now=now())
    return Response(
        content,
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f"attachment; filename=households-{today()}.xlsx"},
    )


@producers_bp.get("/<code>")
@requires(*COOPERATIVE)
def show_producer(code: str) -> str:
    return _home_page("coop", code)


@bp.get("/<any(office, helper):desk>/households/<code>")
@requires(*OFFICE, Role.AUDITOR, Role.HELPER)
def show(desk: str, code: str) -> str:
    return _home_page(desk, code)


def _home_page(
    desk: str,
    code: str,
    *,
    revealed: tuple[Text, str] | None = None,
    errors: dict[str, Text] | None = None,
) -> str:
    reach = reach_of(session(), desk)
    home = home_of(session(), reach, code)
    sheet = queries.household_sheet(session(), home.id, viewer=home.viewer, today=today())
    year = today().year
    return render_template(
        "households/home.html",
        reach=reach,
        home=home,
        sheet=sheet,
        card=sheet.card,
        Part=Part,
        may=reach.may if home.viewer is reach.whose.viewer else (lambda part: False),
        crops=crops(session()),
        slips=(
            slips_of_household(session(), reach.supplier_id, home.id, year=year)
            if reach.supplier_id
            else None
        ),
        reveals=(
            queries.reveals(session(), household_id=home.id, limit=20)
            if reach.role is Role.AUDITOR
            else []
        ),
        hidden=[detail for detail in Detail if may_reveal(detail, home.viewer)],
        Detail=Detail,
        detail_words=DETAIL_WORDS,
        revealed=revealed,
        year=year,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/office/households/<code>/reveal")
@requires(*OFFICE, Role.AUDITOR)
@once
def reveal(code: str) -> str | tuple[str, int]:
    """Shown on this one page and nowhere else; who asked, what for and why is kept."""
    try:
        detail, member_id = _asked(request.form.get("what", ""))
        reason = read_reason(request.form)
        with transaction() as work:
            home = home_of(work, reach_of(work, "office"), code)
            value = operations.reveal(
                work, home.id, detail, reason=reason, member_id=member_id, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _home_page("office", code, errors=invalid.errors), 422
    return _home_page(
        "office", code, revealed=(DETAIL_WORDS[detail.value], value or _("nothing is on file"))
    )


def _asked(what: str) -> tuple[Detail, int | None]:
    """`identity:12` asks for the number of member 12, `account` for the household's account."""
    name, _colon, member = what.partition(":")
    detail = next((each for each in REVEALED if each.value == name), None)
    if detail is None or (member and not (member.isascii() and member.isdigit())):
        raise Invalid({"what": Text("Please choose one.")})
    return detail, int(member[:18]) if member else None


@bp.get(f"{DESK}/consents/<int:consent_id>/paper")
@requires(*READERS)
def paper(desk: str, code: str, consent_id: int) -> Response:
    """The signed paper of a consent, for whoever may change consents here, and the auditor."""
    reach = reach_of(session(), desk)
    home = home_of(session(), reach, code)
    if not reach.may(Part.CONSENTS) and reach.role is not Role.AUDITOR:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    file = queries.paper_of(session(), home.id, consent_id)
    answer = Response(services().storage.get(file.sha256), mimetype=file.media_type)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer

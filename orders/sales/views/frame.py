"""What the packing pages share: whose store it is, and which orders were ticked."""

from __future__ import annotations

from flask import Response, request

from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.errors import Missing, Refusal, Text
from kernel.pdf import make_pdf
from kernel.web.access import organisation_id
from kernel.web.i18n import chosen_language
from kernel.web.work import now, session

SHIPS = (Role.STOREKEEPER, Role.MANAGER)
MOST_TICKED = 300


def my_supplier() -> Supplier:
    return supplier_of(session(), organisation_id())


def ticked(name: str) -> list[int]:
    """The ids named in the address or the form; a refusal with a way back when there are none."""
    found = [int(each) for each in request.values.getlist(name) if each.isdecimal()]
    if not found:
        raise Refusal("Tick at least one order first.")
    if len(found) > MOST_TICKED:
        raise Refusal("At most %(most)s orders at once.", most=MOST_TICKED)
    return sorted(set(found))


def something(pieces: list) -> list:  # type: ignore[type-arg]
    """The pieces, or Missing when nothing of what was ticked is this store's and open."""
    if not pieces:
        raise Missing(Text("Nothing of these orders waits to be packed here any more."))
    return pieces


def paper(template: str, data: dict[str, object], name: str) -> Response:
    """A PDF that the browser shows, and saves under `name`."""
    made = make_pdf(template, {"lang": chosen_language(), **data}, made=now())
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer

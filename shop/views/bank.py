"""The accountant's bank desk: statements in, and what each movement pays for.

It stands above payments, agencies and payouts, because a movement may belong to any of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.agencies.models import Stage
from orders.agencies.operations import recognise_payment
from orders.agencies.queries.bulk import Row, rows
from orders.payments.forms import read_statement
from orders.payments.models import Payment
from orders.payments.operations import (
    import_statement,
    recognise_provider_transfer,
    recognise_transfer,
)
from orders.payments.queries import (
    OpenLine,
    bank_line,
    bank_lines,
    statements_of,
    transfers_waiting,
)
from orders.payments.rules.references import references_in
from orders.payouts.operations import confirm_from_statement

bp = Blueprint("bank", __name__, url_prefix="/coop/bank")

KEEPS_BOOKS = (Role.ACCOUNTANT, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A movement that is not explained yet, with the order its memo names, if it names one."""

    open: OpenLine
    order: Row | None
    transfer: Payment | None


@bp.get("")
@requires(*KEEPS_BOOKS)
def show() -> str:
    return _page({})


@bp.post("")
@requires(*KEEPS_BOOKS)
@once
def upload() -> Response | tuple[str, int]:
    """A statement is taken in whole, or refused with what is wrong in which row."""
    file = request.files.get("file")
    content = file.read() if file is not None else b""
    try:
        name = str(file.filename) if file is not None else ""
        read = read_statement(name, content)
        with transaction() as work:
            supplier = supplier_of(work, organisation_id())
            before = len(statements_of(work, supplier.id, limit=1000))
            import_statement(
                work,
                supplier_id=supplier.id,
                name=name,
                sha256=hashlib.sha256(content).hexdigest(),
                rows=read,
                by=actor(),
                now=now(),
            )
            known = len(statements_of(work, supplier.id, limit=1000)) == before
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    if known:
        flash(_("This file was taken in before; nothing was added."), "calm")
    else:
        flash(_("Taken in. What the bank had told before was not added again."), "done")
    return _back()


@bp.post("/<int:line_id>/order")
@requires(Role.ACCOUNTANT)
@once
def pay_order(line_id: int) -> Response | tuple[str, int]:
    """This movement pays that unit's order."""
    supplier = supplier_of(session(), organisation_id())
    bank_line(session(), line_id, supplier_id=supplier.id)
    fields = Fields(request.form)
    order_id = fields.key("order")
    try:
        fields.done()
        with transaction() as work:
            recognise_payment(work, line_id, order_id, by=actor(), now=now())
    except Refusal as refusal:
        return _page({f"order-{line_id}": _words(refusal)}), refusal.status
    flash(_("The payment is recognised."), "done")
    return _back()


@bp.post("/<int:line_id>/citizen")
@requires(Role.ACCOUNTANT)
@once
def pay_citizens_order(line_id: int) -> Response | tuple[str, int]:
    """This movement pays that citizen's order, which was too large for the provider."""
    supplier = supplier_of(session(), organisation_id())
    bank_line(session(), line_id, supplier_id=supplier.id)
    fields = Fields(request.form)
    order_id = fields.key("order")
    try:
        fields.done()
        with transaction() as work:
            recognise_transfer(work, line_id, order_id, by=actor(), now=now())
    except Refusal as refusal:
        return _page({f"order-{line_id}": _words(refusal)}), refusal.status
    flash(_("The payment is recognised."), "done")
    return _back()


@bp.post("/<int:line_id>/provider")
@requires(Role.ACCOUNTANT)
@once
def from_provider(line_id: int) -> Response | tuple[str, int]:
    """This movement is what citizens had paid, sent on by the payment provider."""
    try:
        with transaction() as work:
            supplier = supplier_of(work, organisation_id())
            recognise_provider_transfer(
                work, line_id, supplier_id=supplier.id, by=actor(), now=now()
            )
    except Refusal as refusal:
        return _page({f"order-{line_id}": _words(refusal)}), refusal.status
    flash(_("The provider's transfer is in the books."), "done")
    return _back()


@bp.post("/payouts")
@requires(Role.ACCOUNTANT)
@once
def confirm_payouts() -> Response:
    """Whatever carries the reference of a payment to a household confirms it, or brings it back."""
    with transaction() as work:
        supplier = supplier_of(work, organisation_id())
        found = confirm_from_statement(work, supplier_id=supplier.id, by=actor(), now=now())
    flash(
        _(
            "%(paid)s payments confirmed, %(failed)s came back.",
            paid=found.paid,
            failed=found.failed,
        ),
        "done" if found.paid or found.failed else "calm",
    )
    for puzzle in found.puzzles[:10]:
        flash(say(puzzle), "alarm")
    return _back()


def _page(errors: Mapping[str, Text]) -> str:
    supplier = supplier_of(session(), organisation_id())
    waiting = rows(session(), supplier_organisation_id=organisation_id(), stages=(Stage.TO_PAY,))
    transfers = transfers_waiting(session(), supplier.id)
    everything = request.args.get("all") == "yes"
    lines = bank_lines(session(), supplier.id, only_open=not everything)
    return render_template(
        "coop/bank.html",
        incoming=_suggest(
            [each for each in lines if each.open and each.line.amount.fen > 0],
            waiting,
            transfers,
        ),
        outgoing=[each for each in lines if each.open and each.line.amount.fen < 0],
        explained=[each for each in lines if not each.open],
        waiting=waiting,
        transfers=transfers,
        statements=statements_of(session(), supplier.id),
        everything=everything,
        may_match=actor().role is Role.ACCOUNTANT,
        errors=errors,
        sum_open=Money(sum(each.open.fen for each in lines if each.line.amount.fen > 0)),
    )


def _suggest(
    lines: Sequence[OpenLine], waiting: Sequence[Row], transfers: Sequence[Payment]
) -> list[Suggestion]:
    of_citizens = {each.order.number: each for each in transfers}
    by_number = {row.number: row for row in waiting}
    found = []
    for each in lines:
        named = [by_number[ref] for ref in references_in(each.line.memo) if ref in by_number]
        alike = [row for row in waiting if row.outstanding == each.open]
        one = named[0] if named else alike[0] if len(alike) == 1 else None
        known = [of_citizens[r] for r in references_in(each.line.memo) if r in of_citizens]
        found.append(Suggestion(each, one, known[0] if known else None))
    return found


def _words(refusal: Refusal) -> Text:
    return refusal.reasons[0] if refusal.reasons else refusal.sentence


def _back() -> Response:
    return redirect(url_for("bank.show"), code=303)  # type: ignore[return-value]

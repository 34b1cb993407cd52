"""Deliveries to accept: line by line at the ramp, photos, signatures, the protocol on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.lots.models import LotEventKind
from kernel import audit
from kernel.actors import CANTEEN, Role
from kernel.errors import Invalid, Missing, Text
from kernel.money import ZERO, Money, Price, total
from kernel.quantities import BaseUnit
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.pictures import read_photos
from kernel.web.work import now, services, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import MOST_PHOTOS, read_acceptance_line
from orders.agencies.models import Acceptance, AcceptanceLine, AcceptanceState, Disposition
from orders.agencies.operations.closing import shipped_by_line, signed_text
from orders.agencies.queries.acceptance import (
    acceptance_id_of,
    acceptance_number_of,
    acceptance_sheet,
    contract_days,
    deliveries,
    photo_of,
    shipment_id_of,
    steps_of_lots,
)
from orders.agencies.queries.grid import village_names
from orders.agencies.queries.units import policy_for
from orders.agencies.rules.accepting import (
    LEAST_SIGNATURES,
    Fault,
    Taken,
    bulk_allowance,
    payable,
)
from orders.agencies.rules.terms import due_on
from orders.agencies.views.frame import desk_page, my_unit
from orders.sales.models import OrderLine
from orders.sales.queries.packing import shipment_sheet

bp = Blueprint("canteen_deliveries", __name__, url_prefix="/canteen")

ACCEPTERS = (Role.RECEIVER, Role.BUYER, Role.APPROVER, Role.FINANCE)


@dataclass(frozen=True, slots=True)
class RampLine:
    """One line of a delivery as it stands in the protocol."""

    position: int
    line: OrderLine
    shipped: int
    recorded: AcceptanceLine | None

    @property
    def taken(self) -> Taken:
        if self.recorded is None:
            return Taken(self.shipped, self.shipped, 0)
        return Taken(self.shipped, self.recorded.weighed, self.recorded.rejected)

    @property
    def full(self) -> Money:
        """What it would cost if all of it were accepted."""
        assert self.line.unit_price is not None
        return self.line.unit_price.of(self.shipped, self.line.product.base_unit)

    @property
    def amount(self) -> Money:
        return self.recorded.amount if self.recorded else self.full

    @property
    def unit(self) -> BaseUnit:
        return self.line.product.base_unit

    def worth(self, quantity: int) -> Money:
        assert self.line.unit_price is not None
        return payable(quantity, self.line.unit_price, self.unit)

    @property
    def short_share(self) -> Fraction:
        return Fraction(self.taken.short, self.shipped)


@bp.get("/deliveries")
@requires(*CANTEEN)
def index() -> str:
    return desk_page(
        "canteen/deliveries.html",
        deliveries=deliveries(session(), organisation_id()),
        may_accept=actor().role in ACCEPTERS,
        AcceptanceState=AcceptanceState,
    )


@bp.get("/deliveries/<number>")
@requires(*CANTEEN)
def arrive(number: str) -> str | Response:
    """Where the code on the delivery note leads, on a phone at the ramp."""
    shipment_id = shipment_id_of(session(), number, organisation_id=organisation_id())
    protocol = acceptance_number_of(session(), shipment_id)
    if protocol is not None:
        return redirect(url_for("canteen_deliveries.show", number=protocol), code=303)  # type: ignore[return-value]
    return desk_page(
        "canteen/delivery_arrives.html",
        shipment=shipment_sheet(session(), shipment_id),
        may_accept=actor().role in ACCEPTERS,
    )


@bp.post("/deliveries/<number>/open")
@requires(*ACCEPTERS)
@once
def begin(number: str) -> Response:
    """The one protocol of this delivery, made now or by whoever came first."""
    shipment_id = shipment_id_of(session(), number, organisation_id=organisation_id())
    with transaction() as work:
        opened = operations.open_acceptance(work, shipment_id, by=actor(), now=now())
        protocol = opened.number
    return redirect(url_for("canteen_deliveries.show", number=protocol), code=303)  # type: ignore[return-value]


@bp.get("/acceptances/<number>")
@requires(*CANTEEN)
def show(number: str) -> str:
    return _ramp(number)


@bp.post("/acceptances/<number>/lines/<int:line_id>")
@requires(*ACCEPTERS)
@once
def record(number: str, line_id: int) -> Response | tuple[str, int]:
    """One line is written down; the next one that is not comes up."""
    found = _sheet(number)
    lines = {each.line.id: each for each in _lines(found)}
    if line_id not in lines:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    try:
        values = read_acceptance_line(request.form, lines[line_id].unit, lines[line_id].shipped)
        photos = read_photos(request.files.getlist("photos"), most=MOST_PHOTOS)
        blobs = [
            services().storage.put(content, media_type=media_type, name=name)
            for content, media_type, name in photos
        ]
        with transaction() as work:
            operations.record_acceptance_line(
                work, found.id, line_id, **values, photos=blobs, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _ramp(number, line_id, invalid.errors), invalid.status
    following = next(
        (key for key, each in lines.items() if each.recorded is None and key != line_id), None
    )
    where = url_for("canteen_deliveries.show", number=number, line=following)
    return redirect(where + ("" if following else "#slip"), code=303)  # type: ignore[return-value]


@bp.post("/acceptances/<number>/rest")
@requires(*ACCEPTERS)
@once
def rest_as_shipped(number: str) -> Response:
    """Every line that nobody wrote down weighed what the delivery note says."""
    key = acceptance_id_of(session(), number, organisation_id=organisation_id())
    with transaction() as work:
        operations.accept_rest_as_shipped(work, key, by=actor(), now=now())
    return redirect(url_for("canteen_deliveries.show", number=number) + "#slip", code=303)  # type: ignore[return-value]


@bp.post("/acceptances/<number>/sign")
@requires(*ACCEPTERS)
@once
def sign(number: str) -> Response:
    key = acceptance_id_of(session(), number, organisation_id=organisation_id())
    capacity = request.form.get("capacity", "")
    with transaction() as work:
        signed = operations.sign_acceptance(work, key, capacity=capacity, by=actor(), now=now())
        closed = signed.state is AcceptanceState.SIGNED
    flash(
        _("The protocol is closed. The cooperative sees it, and the term of payment begins.")
        if closed
        else _("You have signed. One more person must sign."),
        "done",
    )
    return redirect(url_for("canteen_deliveries.show", number=number) + "#slip", code=303)  # type: ignore[return-value]


@bp.get("/acceptances/<number>/print")
@requires(*CANTEEN, Role.MANAGER, Role.ACCOUNTANT, Role.STOREKEEPER)
def paper(number: str) -> str:
    """The signed protocol as it was frozen, for both sides, with its SHA-256."""
    buyer = actor().role in CANTEEN
    key = acceptance_id_of(
        session(),
        number,
        organisation_id=organisation_id() if buyer else None,
        supplier_organisation_id=None if buyer else organisation_id(),
    )
    found = acceptance_sheet(session(), key)
    if found.frozen is None:
        raise Missing(Text("This protocol is not signed by two people yet."))
    return render_template(
        "print/acceptance.html",
        acceptance=found,
        version=found.frozen,
        content=found.frozen.content(),
        head=audit.head(session()),
        when=datetime.fromisoformat,
        faults={each.value: each for each in Fault},
        dispositions={each.value: each for each in Disposition},
        units={each.value: each for each in BaseUnit},
        Money=Money,
        Price=Price,
    )


@bp.get("/photos/<int:photo_id>")
@requires(*CANTEEN, Role.MANAGER, Role.ACCOUNTANT, Role.STOREKEEPER)
def photo(photo_id: int) -> Response:
    """One photo of a rejected line, for the unit and for the supplier."""
    buyer = actor().role in CANTEEN
    file = photo_of(
        session(),
        photo_id,
        organisation_id=organisation_id() if buyer else None,
        supplier_organisation_id=None if buyer else organisation_id(),
    )
    answer = Response(services().storage.get(file.sha256), mimetype=file.media_type)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


def _sheet(number: str) -> Acceptance:
    key = acceptance_id_of(session(), number, organisation_id=organisation_id())
    return acceptance_sheet(session(), key)


def _lines(acceptance: Acceptance) -> list[RampLine]:
    shipped = shipped_by_line(acceptance)
    recorded = {each.line_id: each for each in acceptance.lines}
    chosen = [line for line in acceptance.order.lines if line.id in shipped]
    return [
        RampLine(n, line, shipped[line.id], recorded.get(line.id))
        for n, line in enumerate(chosen, 1)
    ]


def _ramp(number: str, line_id: int | None = None, errors: dict[str, Text] | None = None) -> str:
    found = _sheet(number)
    lines = _lines(found)
    wanted = line_id or request.args.get("line", type=int)
    current = next(
        (each for each in lines if each.line.id == wanted),
        next((each for each in lines if each.recorded is None), None),
    )
    open_ = found.state is AcceptanceState.OPEN
    recorded = [each for each in lines if each.recorded is not None]
    slices = [
        each
        for each in found.shipment.lines
        if current and each.allocation.line_id == current.line.id
    ]
    codes = {each.allocation.household.region_code for each in slices if each.allocation.household}
    policy = policy_for(session(), my_unit().organisation.region_code, today().year)
    text = signed_text(found)
    days = contract_days(session(), found.order_id)
    return desk_page(
        "canteen/acceptance.html",
        acceptance=found,
        order=found.order,
        lines=lines,
        current=current if open_ or wanted else None,
        open=open_,
        may_accept=actor().role in ACCEPTERS,
        complete=len(recorded) == len(lines),
        recorded=len(recorded),
        lots=sorted({each.allocation.lot.code for each in slices}),
        steps=steps_of_lots(session(), {each.allocation.lot_id for each in slices}),
        villages=sorted(village_names(session(), codes).values()),
        tolerance_bp=policy.tolerance_bp,
        allowance=bulk_allowance(current.shipped, policy.tolerance_bp) if current else 0,
        ordered=total(each.full for each in lines),
        short=total(each.worth(each.taken.short) for each in recorded) if recorded else ZERO,
        rejected=total(each.worth(each.taken.rejected) for each in recorded) if recorded else ZERO,
        amount=total(each.amount for each in lines),
        valid=[each for each in found.signatures if each.sha256 == text],
        stale=[each for each in found.signatures if each.sha256 != text],
        needed=LEAST_SIGNATURES,
        me=actor().user_id,
        due_by=due_on(today(), days),
        faults=Fault,
        dispositions=Disposition,
        kinds=LotEventKind,
        most_photos=MOST_PHOTOS,
        form=request.form if errors else {},
        errors=errors or {},
    )

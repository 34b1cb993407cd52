"""Acceptance: what a canteen takes of a delivery, line by line, signed by at least two people.

Nothing is payable and nothing counts without a signed protocol (domain.md §3.3). The last
signature closes it (`closing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal
from kernel.numbering import next_number
from kernel.people import User
from kernel.storage import Blob, keep_file
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    AcceptanceSignature,
    AcceptanceState,
    Disposition,
)
from orders.agencies.operations.closing import (
    close_acceptance,
    price_of,
    shipped_by_line,
    signed_text,
)
from orders.agencies.operations.stages import own_order
from orders.agencies.queries.acceptance import (
    acceptance_sheet,
    order_id_of_acceptance,
    order_id_of_shipment,
)
from orders.agencies.queries.bulk import NOT_YOURS
from orders.agencies.rules.accepting import (
    LEAST_SIGNATURES,
    Taken,
    faults,
    payable,
)
from orders.sales.models import Shipment


def open_acceptance(session: Session, shipment_id: int, *, by: Actor, now: datetime) -> Acceptance:
    """The one protocol of a delivery: made when somebody first opens it, the same for everyone."""
    order, _ = own_order(session, order_id_of_shipment(session, shipment_id), by)
    found = session.scalar(sa.select(Acceptance).where(Acceptance.shipment_id == shipment_id))
    if found is not None:
        return found
    shipment = get_or_missing(session, Shipment, shipment_id, lock=True)
    if shipment.cancelled_at is not None:
        raise Refusal(
            "Shipment %(number)s was called back by the supplier; nothing of it is on its way.",
            number=shipment.number,
        )
    acceptance = Acceptance(
        number=next_number(session, "YS", now),
        shipment_id=shipment_id,
        order_id=order.id,
        state=AcceptanceState.OPEN,
        signed_at=None,
        **stamp(by, now),
    )
    session.add(acceptance)
    session.flush()
    audit.note(session, "open_acceptance", f"acceptance:{acceptance.id}", by=by, now=now)
    return acceptance


def record_acceptance_line(
    session: Session,
    acceptance_id: int,
    line_id: int,
    *,
    weighed: int,
    rejected: int = 0,
    reason: str = "",
    disposition: Disposition | None = None,
    deduction_bp: int = 0,
    photos: Sequence[Blob] = (),
    by: Actor,
    now: datetime,
) -> AcceptanceLine:
    """What was weighed and rejected of one line, with its reason and photos (G12).

    May be recorded again while the protocol is open; signatures under the old text then no longer
    count. The same values again change nothing.
    """
    own_order(session, order_id_of_acceptance(session, acceptance_id), by)
    acceptance = acceptance_sheet(session, acceptance_id)
    if acceptance.state is not AcceptanceState.OPEN:
        raise Refusal("This protocol is signed; it cannot change any more.")
    shipped = shipped_by_line(acceptance).get(line_id)
    if shipped is None:
        raise Missing(NOT_YOURS)
    taken = Taken(shipped, weighed, rejected)
    problems = faults(
        taken,
        reason=reason,
        disposition=disposition.value if disposition else None,
        deduction_bp=deduction_bp,
    )
    if problems:
        raise Invalid(problems)

    line = _record(
        session, acceptance, line_id, taken,
        reason=reason, disposition=disposition, deduction_bp=deduction_bp, by=by, now=now,
    )  # fmt: skip
    _keep_photos(session, line, photos, by, now)
    audit.note(
        session, "record_acceptance_line", f"acceptance:{acceptance.id}", by=by, now=now,
        line=line_id, accepted=taken.accepted,
    )  # fmt: skip
    return line


def accept_rest_as_shipped(
    session: Session, acceptance_id: int, *, by: Actor, now: datetime
) -> Acceptance:
    """Every line that nobody has recorded yet weighed what the delivery note says.

    What was recorded before stays; doing it twice changes nothing.
    """
    own_order(session, order_id_of_acceptance(session, acceptance_id), by)
    acceptance = acceptance_sheet(session, acceptance_id)
    recorded = {line.line_id for line in acceptance.lines}
    rest = {
        key: shipped for key, shipped in shipped_by_line(acceptance).items() if key not in recorded
    }
    if rest and acceptance.state is not AcceptanceState.OPEN:
        raise Refusal("This protocol is signed; it cannot change any more.")
    for line_id, shipped in sorted(rest.items()):
        _record(session, acceptance, line_id, Taken(shipped, shipped, 0), by=by, now=now)
    audit.note(
        session, "accept_rest_as_shipped", f"acceptance:{acceptance.id}", by=by, now=now,
        lines=sorted(rest),
    )  # fmt: skip
    return acceptance


def _record(
    session: Session,
    acceptance: Acceptance,
    line_id: int,
    taken: Taken,
    *,
    reason: str = "",
    disposition: Disposition | None = None,
    deduction_bp: int = 0,
    by: Actor,
    now: datetime,
) -> AcceptanceLine:
    """The protocol's line as it was taken, new or written again."""
    order_line = next(line for line in acceptance.order.lines if line.id == line_id)
    values = {
        "shipped": taken.shipped,
        "weighed": taken.weighed,
        "rejected": taken.rejected,
        "accepted": taken.accepted,
        "reason": reason.strip()[:60],
        "disposition": disposition,
        "deduction_bp": deduction_bp,
        "amount": payable(
            taken.accepted, price_of(order_line), order_line.product.base_unit, deduction_bp
        ),
    }
    line = next((each for each in acceptance.lines if each.line_id == line_id), None)
    if line is None:
        line = AcceptanceLine(
            acceptance_id=acceptance.id, line_id=line_id, **values, **stamp(by, now)
        )
        session.add(line)
    else:
        for name, value in values.items():
            setattr(line, name, value)
    session.flush()
    return line


def sign_acceptance(
    session: Session, acceptance_id: int, *, capacity: str = "", by: Actor, now: datetime
) -> Acceptance:
    """One more person signs the protocol as it reads now; the second different one closes it.

    Signing twice, or a protocol that is closed, changes nothing.
    """
    order, bulk = own_order(session, order_id_of_acceptance(session, acceptance_id), by)
    acceptance = acceptance_sheet(session, acceptance_id)
    if acceptance.state is AcceptanceState.SIGNED:
        return acceptance
    unrecorded = shipped_by_line(acceptance).keys() - {line.line_id for line in acceptance.lines}
    if unrecorded:
        raise Refusal("%(n)s lines are not recorded yet.", n=len(unrecorded))
    if by.user_id is None:
        raise Refusal("Only a person can sign.")
    text = signed_text(acceptance)
    valid = {each.user_id for each in acceptance.signatures if each.sha256 == text}
    if by.user_id not in valid:
        signer = get_or_missing(session, User, by.user_id)
        acceptance.signatures.append(
            AcceptanceSignature(
                user_id=signer.id,
                name=signer.name,
                capacity=capacity.strip()[:20],
                sha256=text,
                **stamp(by, now),
            )
        )
        valid.add(signer.id)
        session.flush()
    if len(valid) >= LEAST_SIGNATURES:
        close_acceptance(session, order, bulk, acceptance, by=by, now=now)
    audit.note(session, "sign_acceptance", f"acceptance:{acceptance.id}", by=by, now=now)
    return acceptance


def _keep_photos(
    session: Session, line: AcceptanceLine, photos: Sequence[Blob], by: Actor, now: datetime
) -> None:
    known = {
        photo.file.sha256
        for photo in session.scalars(
            sa.select(AcceptancePhoto)
            .where(AcceptancePhoto.acceptance_line_id == line.id)
            .options(joinedload(AcceptancePhoto.file))
        )
    }
    for blob in photos:
        if blob.sha256 in known:
            continue
        known.add(blob.sha256)
        file = keep_file(session, blob, by=by, now=now)
        session.add(AcceptancePhoto(acceptance_line_id=line.id, file_id=file.id, **stamp(by, now)))
    session.flush()

"""What is written to people about a supplier: one letter per person and event, whatever is
repeated. Changes no business row, so there is nothing to note."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.suppliers.models import AdmissionReason, Application, Supplier, SupplierEvent
from catalog.suppliers.models import SupplierState as S
from catalog.suppliers.queries import county_of, managers_of, operators
from kernel.actors import Actor
from kernel.errors import Text
from kernel.mail import send_later
from kernel.people import User
from kernel.periods import business_day
from kernel.speech import say_in


def tell(
    session: Session,
    people: Iterable[User],
    subject: Text,
    body: Text,
    *,
    key: str,
    but: Actor | None = None,
    now: datetime,
) -> int:
    """A letter to each of them in their language, not to whoever did it; returns how many. The same
    `key` again sends nothing more."""
    wanted = {each.id: each for each in people if but is None or each.id != but.user_id}
    for person in wanted.values():
        send_later(
            session,
            to=person.email,
            subject=say_in(subject, person.locale),
            body=say_in(body, person.locale),
            key=f"{key}:{person.id}",
            now=now,
        )
    return len(wanted)


def tell_of_move(
    session: Session,
    supplier: Supplier,
    event: SupplierEvent,
    application: Application | None,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Whoever has to look next hears that an application waits; the supplier what was decided."""
    today, body = business_day(now), supplier.organisation
    key = f"supplier_event:{event.id}"
    waits = Text("The application of %(supplier)s waits for your review", supplier=body.name)
    if event.to_state in (S.APPLIED, S.REVITALISATION_REVIEW):
        done = application.agriculture_by_id if application else None
        county = [each for each in county_of(session, body.region_code, today) if each.id != done]
        tell(session, county, waits, _where_to_look(supplier), key=key, but=by, now=now)
    if event.to_state is S.RECOMMENDED:
        found = operators(session, today)
        tell(session, found, waits, _where_to_look(supplier), key=key, but=by, now=now)
    if event.to_state in _DECIDED and event.from_state is not S.APPLIED:
        subject = Text("%(supplier)s: %(state)s", supplier=body.name, state=event.to_state)
        managers = managers_of(session, supplier.organisation_id, today)
        tell(session, managers, subject, _decision(event), key=f"{key}:told", but=by, now=now)


_DECIDED = (S.DRAFT, S.RECOMMENDED, S.ADMITTED, S.RECTIFYING, S.SUSPENDED, S.REMOVED)


def _where_to_look(supplier: Supplier) -> Text:
    return Text(
        "%(supplier)s (%(code)s) has applied to sell. You find what was submitted, the"
        " certificates and your choices under “Suppliers”.",
        supplier=supplier.organisation.name,
        code=supplier.code,
    )


def _decision(event: SupplierEvent) -> Text:
    if isinstance(event.reason, AdmissionReason):
        return Text(
            "Reason: %(reason)s. %(sentence)s What can be done next stands under “Our admission”.",
            reason=event.reason,
            sentence=event.sentence,
        )
    if event.to_state is S.RECOMMENDED:
        return Text("The county recommends you. The platform looks at it next.")
    return Text("You are admitted. Your products may be put on sale.")

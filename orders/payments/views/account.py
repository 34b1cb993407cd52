"""What checkout offers to somebody who is signed in: their addresses, and their employer's credit.

A guest is asked nothing of this and costs no query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from flask_login import current_user
from sqlalchemy.orm import Session

from kernel.errors import Refusal
from kernel.web.access import actor
from kernel.web.forms import Fields
from kernel.web.work import now, session, today
from orders.sales.models import SavedAddress
from orders.sales.operations import Keep, keep_address
from orders.sales.queries.own import employer_on, saved_addresses


def offered() -> dict[str, Any]:
    """For the page: addresses, and the unit that agreed to this person."""
    user_id = actor().user_id
    return {
        "saved_addresses": saved_addresses(session(), user_id),
        "employer": employer_on(session(), user_id, today()),
    }


def first_address() -> dict[str, str]:
    """The form as it opens: with the first address, and the account's e-mail."""
    if actor().user_id is None:
        return {}
    found = next(iter(saved_addresses(session(), actor().user_id)), None)
    email = {"email": current_user.email}
    return email | _fields(found) if found is not None and found.is_default else email


def chosen_address(form: Mapping[str, str]) -> dict[str, str]:
    """The form again, with the address that was chosen from the book in its fields."""
    chosen = form.get("saved", "")
    for each in saved_addresses(session(), actor().user_id) if chosen else ():
        if str(each.id) == chosen:
            return {**form, **_fields(each)}
    return dict(form)


def employer_asked(work: Session) -> int | None:
    """The unit this order is to be credited to, if the buyer ticked it and the unit agreed."""
    if "credit" not in request.form:
        return None
    employer = employer_on(work, actor().user_id, today())
    return employer.id if employer else None


def keep_asked(work: Session) -> None:
    """The address goes into the book if the buyer ticked that; a full book takes no more, and the
    order does not fail for it. Its fields were read before."""
    user_id = actor().user_id
    if user_id is None or "keep_address" not in request.form:
        return
    if request.form.get("delivery") == "pick_up":
        return
    fields = Fields(request.form)
    keep = Keep(
        label="",
        recipient=fields.text("recipient", most=40),
        phone=fields.phone("phone"),
        place=fields.text("place", most=60),
        detail=fields.text("detail", most=120),
    )
    try:
        keep_address(work, user_id, keep, by=actor(), now=now())
    except Refusal:
        return


def _fields(address: SavedAddress) -> dict[str, str]:
    return {
        "recipient": address.recipient,
        "phone": address.phone,
        "place": address.place,
        "detail": address.detail,
        "saved": str(address.id),
    }

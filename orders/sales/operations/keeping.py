"""Addresses that a citizen keeps: added, changed, one of them the first, deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Missing, Refusal, Text
from kernel.people import User
from orders.sales.models import SavedAddress

MOST_ADDRESSES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept of an address, as it was typed."""

    label: str
    recipient: str
    phone: str
    place: str
    detail: str
    is_default: bool = False


def keep_address(
    session: Session, user_id: int, keep: Keep, *, by: Actor, now: datetime
) -> SavedAddress:
    """One more address; the first is the one that checkout offers by itself. The very same address
    again answers the one that is there."""
    known = _locked(session, user_id)
    same = (keep.recipient, keep.phone, keep.place, keep.detail)
    for each in known:
        if (each.recipient, each.phone, each.place, each.detail) == same:
            return each
    if len(known) >= MOST_ADDRESSES:
        raise Refusal("At most %(most)s addresses. Delete one first.", most=MOST_ADDRESSES)
    first = keep.is_default or not known
    if first:
        _none_is_first(session, known)
    made = SavedAddress(
        user_id=user_id,
        label=keep.label,
        recipient=keep.recipient,
        phone=keep.phone,
        place=keep.place,
        detail=keep.detail,
        is_default=first,
        **stamp(by, now),
    )
    session.add(made)
    session.flush()
    audit.note(session, "keep_address", f"address:{made.id}", by=by, now=now)
    return made


def change_address(
    session: Session, user_id: int, address_id: int, keep: Keep, *, by: Actor, now: datetime
) -> SavedAddress:
    """Other words for one of this person's addresses; one that is the first stays it."""
    known = _locked(session, user_id)
    found = _own(known, address_id)
    first = keep.is_default or found.is_default
    if first:
        _none_is_first(session, [each for each in known if each is not found])
    found.label, found.recipient, found.phone = keep.label, keep.recipient, keep.phone
    found.place, found.detail, found.is_default = keep.place, keep.detail, first
    audit.note(session, "change_address", f"address:{found.id}", by=by, now=now)
    return found


def drop_address(
    session: Session, user_id: int, address_id: int, *, by: Actor, now: datetime
) -> Keep:
    """Gone for good; what stood there is answered, so that it can be put back. If it was the first,
    the oldest of the others is."""
    known = _locked(session, user_id)
    found = _own(known, address_id)
    gone = Keep(
        label=found.label,
        recipient=found.recipient,
        phone=found.phone,
        place=found.place,
        detail=found.detail,
        is_default=found.is_default,
    )
    session.delete(found)
    session.flush()
    others = [each for each in known if each is not found]
    if found.is_default and others:
        others[0].is_default = True
    audit.note(session, "drop_address", f"address:{address_id}", by=by, now=now)
    return gone


def _locked(session: Session, user_id: int) -> Sequence[SavedAddress]:
    """The person's addresses, oldest first; the person's row is the lock of them all."""
    session.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    return session.scalars(
        sa.select(SavedAddress)
        .where(SavedAddress.user_id == user_id)
        .order_by(SavedAddress.id)
        .execution_options(populate_existing=True)
    ).all()


def _own(known: Sequence[SavedAddress], address_id: int) -> SavedAddress:
    for each in known:
        if each.id == address_id:
            return each
    raise Missing(Text("There is nothing at this address, or it is not yours."))


def _none_is_first(session: Session, addresses: Sequence[SavedAddress]) -> None:
    for each in addresses:
        each.is_default = False
    session.flush()  # the database allows one first address at a time

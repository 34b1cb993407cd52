"""Slips that no rule let in go to the manager, who writes them or puts them aside. None is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.lots.models import OfflineSlip, OfflineState
from catalog.lots.operations.offline import (
    Brought,
    check_weigher,
    find_known,
    household_of,
    published_price,
    remember,
    write_slip,
)
from catalog.lots.operations.reviewing import keep_slip_photo
from catalog.lots.queries.weighing import offline_slip
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Invalid, Text
from kernel.storage import Blob, StoredFile, keep_file
from kernel.text import tidy


def hand_over_slip(
    session: Session,
    brought: Brought,
    *,
    supplier_id: int,
    said: str,
    photo: Blob | None = None,
    by: Actor,
    now: datetime,
) -> OfflineSlip:
    """What no rule let in goes to the manager as it is, with what was said against it.

    The same again is the same; nothing that was weighed is ever dropped.
    """
    check_weigher(brought, by)
    get_or_missing(session, Supplier, supplier_id, lock=True)
    known = find_known(session, brought, supplier_id, photo)
    if known is not None:
        return known
    file = keep_file(session, photo, by=by, now=now) if photo else None
    kept = remember(session, brought, supplier_id, photo, file, said=said, by=by, now=now)
    audit.note(session, "hand_over_slip", f"offline_slip:{kept.id}", by=by, now=now, said=kept.said)
    return kept


def write_handed_slip(
    session: Session,
    offline_id: int,
    *,
    supplier_id: int,
    prefixes: Sequence[str],
    household: str,
    as_shown: bool,
    note: str,
    by: Actor,
    now: datetime,
) -> OfflineSlip:
    """The manager writes it: for this household, at the published price or as the phone showed it.

    Another price than the published one still waits for a second person: R20 knows no manager.
    """
    kept = offline_slip(session, supplier_id, offline_id, lock=True)
    if kept.state is not OfflineState.HANDED_OVER:
        return kept
    note = _why(note)
    brought = Brought.from_plain(json.loads(kept.payload))
    brought = replace(brought, household=tidy(household).upper())
    home = household_of(session, brought.household, prefixes)
    published = published_price(session, supplier_id, brought)
    asked = brought.price if as_shown and brought.price != published else None
    # What the household saw and signed holds only for the amount it saw.
    if asked is None and brought.price != published:
        brought = replace(brought, confirmation=None, signature=None)
    brought = replace(brought, reason=note)
    slip = write_slip(session, brought, home, asked, supplier_id=supplier_id, by=by, now=now)
    if kept.photo_id is not None:
        file = session.get_one(StoredFile, kept.photo_id)
        blob = Blob(file.sha256, file.size, file.media_type, file.name)
        keep_slip_photo(session, slip.id, blob, by=by, now=now)
    kept.state, kept.slip_id = OfflineState.WRITTEN, slip.id
    return _decide(session, kept, note, "write_handed_slip", by=by, now=now)


def dismiss_handed_slip(
    session: Session, offline_id: int, *, supplier_id: int, note: str, by: Actor, now: datetime
) -> OfflineSlip:
    """Nothing is bought for it, and why; what was weighed stays readable."""
    kept = offline_slip(session, supplier_id, offline_id, lock=True)
    if kept.state is not OfflineState.HANDED_OVER:
        return kept
    note = _why(note)
    kept.state = OfflineState.DISMISSED
    return _decide(session, kept, note, "dismiss_handed_slip", by=by, now=now)


def _why(note: str) -> str:
    note = tidy(note)[:200]
    if not note:
        raise Invalid({"note": Text("Say why.")})
    return note


def _decide(
    session: Session, kept: OfflineSlip, note: str, action: str, *, by: Actor, now: datetime
) -> OfflineSlip:
    kept.decided_by_id, kept.decided_at, kept.decision_note = by.user_id, now, note
    audit.note(session, action, f"offline_slip:{kept.id}", by=by, now=now, note=note)
    return kept

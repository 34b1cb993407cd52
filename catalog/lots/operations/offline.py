"""Slips that were weighed without network: the same operations as at the form, once each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import HouseholdRow, household_in
from catalog.lots import rules
from catalog.lots.models import Confirmation, OfflineSlip, OfflineState, WeighSlip
from catalog.lots.operations.reviewing import keep_slip_photo
from catalog.lots.operations.weighing import confirm_slip, record_slip
from catalog.lots.queries.weighing import offline_slip
from catalog.products.models import Grade
from catalog.products.queries import product_of, purchase_price_on
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Missing, Refusal, Text
from kernel.money import Money, Price
from kernel.periods import business_day
from kernel.storage import Blob, StoredFile, keep_file
from kernel.text import tidy
from kernel.versions import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a phone sends: what was typed, what it showed the household, and who weighed when.

    `price` is hundredths of a fen per kg and `amount` fen, as the household saw them. `reason` is
    filled when another price than the published one is asked for.
    """

    device: str
    device_seq: str
    weigher_id: int
    weighed_at: datetime
    household: str
    product_id: int
    grade: Grade
    gross_g: int
    tare_g: int
    deduction_bp: int
    price: Price
    amount: Money
    reason: str = ""
    confirmation: Confirmation | None = None
    confirmed_by: str = ""
    signature: str | None = None
    card_code: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON values only."""
        found = asdict(self)
        return found | {
            "weighed_at": self.weighed_at.isoformat(),
            "grade": self.grade.value,
            "price": self.price.per_unit,
            "amount": self.amount.fen,
            "confirmation": self.confirmation.value if self.confirmation else None,
        }

    @classmethod
    def from_plain(cls, found: dict[str, Any]) -> Brought:
        way = found["confirmation"]
        return cls(
            **found
            | {
                "weighed_at": datetime.fromisoformat(found["weighed_at"]),
                "grade": Grade(found["grade"]),
                "price": Price(found["price"]),
                "amount": Money(found["amount"]),
                "confirmation": Confirmation(way) if way else None,
            }
        )

    def digest(self, photo: Blob | None) -> str:
        """Of everything that makes this slip this one."""
        content = self.plain() | {"photo": photo.sha256 if photo else ""}
        return hashlib.sha256(canonical(content).encode()).hexdigest()


def accept_offline_slip(
    session: Session,
    brought: Brought,
    *,
    supplier_id: int,
    prefixes: Sequence[str],
    photo: Blob | None = None,
    by: Actor,
    now: datetime,
) -> OfflineSlip:
    """The slip of a phone's queue becomes a slip as at the form, weighed when the phone says so.

    The same (device, number) with the same content gives what it gave the first time, with other
    content a refusal. Whatever is refused changes nothing: the phone keeps it.
    """
    household = _check(session, brought, prefixes, by, now)
    # Sent twice at the same moment: the second waits here and then finds the first.
    get_or_missing(session, Household, household.id, lock=True)
    known = _known(session, brought, supplier_id, photo)
    if known is not None:
        return known
    published = _published(session, supplier_id, brought)
    if published != brought.price and not brought.reason:
        raise Refusal(
            "The price was changed meanwhile: the phone showed %(shown)s yuan/kg, published for "
            "%(day)s is %(published)s. Ask the household again, or hand the slip to the manager.",
            shown=brought.price.yuan,
            published=published.yuan,
            day=business_day(brought.weighed_at),
        )
    asked = brought.price if brought.price != published else None
    slip = _write(session, brought, household, asked, supplier_id=supplier_id, by=by, now=now)
    if slip.amount != brought.amount:
        raise Refusal(
            "The phone showed %(shown)s, but this comes to %(amount)s. Please weigh it again.",
            shown=brought.amount,
            amount=slip.amount,
        )
    if photo is not None:
        keep_slip_photo(session, slip.id, photo, by=by, now=now)
    return _remember(session, brought, supplier_id, photo, None, slip=slip, by=by, now=now)


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
    _check_weigher(brought, by)
    get_or_missing(session, Supplier, supplier_id, lock=True)
    known = _known(session, brought, supplier_id, photo)
    if known is not None:
        return known
    file = keep_file(session, photo, by=by, now=now) if photo else None
    kept = _remember(session, brought, supplier_id, photo, file, said=said, by=by, now=now)
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
    kept = _open(session, supplier_id, offline_id)
    if kept.state is not OfflineState.HANDED_OVER:
        return kept
    note = _why(note)
    brought = Brought.from_plain(json.loads(kept.payload))
    brought = replace(brought, household=tidy(household).upper())
    home = _household(session, brought.household, prefixes)
    published = _published(session, supplier_id, brought)
    asked = brought.price if as_shown and brought.price != published else None
    # What the household saw and signed holds only for the amount it saw.
    if asked is None and brought.price != published:
        brought = replace(brought, confirmation=None, signature=None)
    brought = replace(brought, reason=note)
    slip = _write(session, brought, home, asked, supplier_id=supplier_id, by=by, now=now)
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
    kept = _open(session, supplier_id, offline_id)
    if kept.state is not OfflineState.HANDED_OVER:
        return kept
    note = _why(note)
    kept.state = OfflineState.DISMISSED
    return _decide(session, kept, note, "dismiss_handed_slip", by=by, now=now)


def _check(
    session: Session, brought: Brought, prefixes: Sequence[str], by: Actor, now: datetime
) -> HouseholdRow:
    _check_weigher(brought, by)
    if not rules.clock_is_plausible(brought.weighed_at, now):
        raise Refusal(
            "The phone says that this was weighed at %(at)s; its clock cannot be right.",
            at=brought.weighed_at,
        )
    return _household(session, brought.household, prefixes)


def _check_weigher(brought: Brought, by: Actor) -> None:
    """A slip stays with the person who weighed, whoever holds the phone now."""
    if brought.weigher_id != by.user_id:
        raise Forbidden(Text("Somebody else weighed this; they must sign in to send it."))


def _household(session: Session, code: str, prefixes: Sequence[str]) -> HouseholdRow:
    try:
        return household_in(session, code, prefixes=prefixes)
    except Missing as missing:
        raise Refusal(
            "No household of your villages has the code %(code)s.", code=code
        ) from missing


def _known(
    session: Session, brought: Brought, supplier_id: int, photo: Blob | None
) -> OfflineSlip | None:
    """What this (device, number) made the first time; a refusal if it was something else."""
    known = session.scalar(
        sa.select(OfflineSlip)
        .options(sa.orm.joinedload(OfflineSlip.slip))
        .where(OfflineSlip.device == brought.device, OfflineSlip.device_seq == brought.device_seq)
        .execution_options(populate_existing=True)
    )
    if known is None:
        return None
    if known.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if known.digest != brought.digest(photo):
        raise Conflict(
            Text(
                "This phone has already sent another slip under the number %(number)s.",
                number=brought.device_seq,
            )
        )
    return known


class Conflict(Refusal):
    """Two different slips under one number of one phone."""


def _published(session: Session, supplier_id: int, brought: Brought) -> Price:
    day = business_day(brought.weighed_at)
    product = product_of(session, supplier_id, brought.product_id)
    price = purchase_price_on(session, product.id, brought.grade, day)
    if price is None:
        raise Refusal(
            "No purchase price is published for %(product)s of this grade on %(day)s.",
            product=product.name_zh,
            day=day,
        )
    return price.price


def _write(
    session: Session,
    brought: Brought,
    household: HouseholdRow,
    asked: Price | None,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> WeighSlip:
    slip = record_slip(
        session,
        supplier_id=supplier_id,
        household_id=household.id,
        product_id=brought.product_id,
        grade=brought.grade,
        gross_g=brought.gross_g,
        tare_g=brought.tare_g,
        deduction_bp=brought.deduction_bp,
        device=brought.device,
        device_seq=brought.device_seq,
        weighed_at=brought.weighed_at,
        asked_price=asked,
        reason=brought.reason,
        by=by,
        now=now,
    )
    if brought.confirmation is not None:
        confirm_slip(
            session,
            slip.id,
            confirmation=brought.confirmation,
            confirmed_by=brought.confirmed_by
            or ("" if brought.confirmation is Confirmation.PROXY else household.name),
            signature=brought.signature,
            code=brought.card_code,
            by=by,
            now=now,
        )
    return slip


def _remember(
    session: Session,
    brought: Brought,
    supplier_id: int,
    photo: Blob | None,
    file: StoredFile | None,
    *,
    slip: WeighSlip | None = None,
    said: str = "",
    by: Actor,
    now: datetime,
) -> OfflineSlip:
    kept = OfflineSlip(
        supplier_id=supplier_id,
        device=brought.device,
        device_seq=brought.device_seq,
        weighed_at=brought.weighed_at,
        digest=brought.digest(photo),
        state=OfflineState.WRITTEN if slip else OfflineState.HANDED_OVER,
        payload=canonical(brought.plain()),
        photo_id=file.id if file else None,
        said=tidy(said)[:300],
        slip_id=slip.id if slip else None,
        **stamp(by, now),
    )
    kept.slip = slip
    session.add(kept)
    session.flush()  # so that the caller can speak of kept.id
    return kept


def _open(session: Session, supplier_id: int, offline_id: int) -> OfflineSlip:
    return offline_slip(session, supplier_id, offline_id, lock=True)


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

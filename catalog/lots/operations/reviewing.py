"""What a second person decides at the scale: doubtful slips, yearly caps, cards, photos."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.lots.models import PurchaseCap, ScaleCard, SlipPhoto, SlipReview, WeighSlip
from catalog.lots.queries.weighing import (
    newest_card,
    photo_of_slip,
    purchase_cap,
    review_of,
)
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money
from kernel.storage import Blob, keep_file
from kernel.text import tidy


def approve_slip(
    session: Session, slip_id: int, *, note: str, by: Actor, now: datetime
) -> SlipReview:
    """The doubtful slip is right, and why. Nobody approves what they weighed themselves (R20)."""
    slip = get_or_missing(session, WeighSlip, slip_id, lock=True)
    review = review_of(session, slip.id, lock=True)
    if review is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if review.approved_at is not None:
        return review
    if not slip.state.stands:
        raise Refusal("Slip %(number)s is void.", number=slip.number)
    if by.user_id is not None and by.user_id in (slip.made_by_id, review.made_by_id):
        raise Refusal(
            "You weighed slip %(number)s yourself; somebody else must approve it.",
            number=slip.number,
        )
    note = tidy(note)[:200]
    if not note:
        raise Invalid({"note": Text("Say why this is right.")})
    review.approved_by_id = by.user_id
    review.approved_at = now
    review.approval_note = note
    audit.note(session, "approve_slip", f"slip:{slip.id}", by=by, now=now, note=note)
    return review


def set_purchase_cap(
    session: Session,
    supplier_id: int,
    *,
    year: int,
    amount: Money | None,
    resolution: str,
    by: Actor,
    now: datetime,
) -> PurchaseCap:
    """The most this supplier buys from one household in a year from now on; None lifts the cap.

    What is on slips already stays. The same cap by the same resolution again changes nothing.
    """
    resolution = tidy(resolution)[:60]
    errors = {}
    if not resolution:
        errors["resolution"] = Text("Enter the number under which the members decided it.")
    if amount is not None and amount < ZERO:
        errors["amount"] = Text("Enter an amount in yuan, such as 1176.00.")
    if errors:
        raise Invalid(errors)
    known = purchase_cap(session, supplier_id, year)
    if known is not None and (known.amount, known.resolution) == (amount, resolution):
        return known
    cap = PurchaseCap(
        supplier_id=supplier_id, year=year, amount=amount, resolution=resolution, **stamp(by, now)
    )
    session.add(cap)
    audit.note(
        session, "set_purchase_cap", f"supplier:{supplier_id}", by=by, now=now,
        year=year, amount=amount, resolution=resolution,
    )  # fmt: skip
    return cap


def issue_card(session: Session, household_id: int, *, by: Actor, now: datetime) -> ScaleCard:
    """A new card for a household; the code of the one before confirms nothing any more."""
    household = get_or_missing(session, Household, household_id, lock=True)
    before = newest_card(session, household.id)
    card = ScaleCard(
        household_id=household.id, serial=before.serial + 1 if before else 1, **stamp(by, now)
    )
    session.add(card)
    session.flush()  # so that its code can be read
    audit.note(
        session, "issue_card", f"household:{household.id}", by=by, now=now, serial=card.serial
    )
    return card


def keep_slip_photo(
    session: Session, slip_id: int, photo: Blob, *, by: Actor, now: datetime
) -> SlipPhoto:
    """What the scale showed stays with the slip; the first picture counts."""
    known = photo_of_slip(session, slip_id)
    if known is not None:
        return known
    file = keep_file(session, photo, by=by, now=now)
    kept = SlipPhoto(slip_id=slip_id, file_id=file.id, **stamp(by, now))
    session.add(kept)
    audit.note(session, "keep_slip_photo", f"slip:{slip_id}", by=by, now=now, sha256=photo.sha256)
    return kept

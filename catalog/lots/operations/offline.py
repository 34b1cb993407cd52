"""Slips that were weighed without network: the same operations as at the form, once each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from catalog.products.models import Grade
from catalog.products.queries import product_of, purchase_price_on
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Missing, Refusal, Text
from kernel.money import Money, Price
from kernel.periods import business_day
from kernel.storage import Blob, StoredFile
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
    known = find_known(session, brought, supplier_id, photo)
    if known is not None:
        return known
    published = published_price(session, supplier_id, brought)
    if published != brought.price and not brought.reason:
        raise Refusal(
            "The price was changed meanwhile: the phone showed %(shown)s yuan/kg, published for "
            "%(day)s is %(published)s. Ask the household again, or hand the slip to the manager.",
            shown=brought.price.yuan,
            published=published.yuan,
            day=business_day(brought.weighed_at),
        )
    asked = brought.price if brought.price != published else None
    slip = write_slip(session, brought, household, asked, supplier_id=supplier_id, by=by, now=now)
    if slip.amount != brought.amount:
        raise Refusal(
            "The phone showed %(shown)s, but this comes to %(amount)s. Please weigh it again.",
            shown=brought.amount,
            amount=slip.amount,
        )
    if photo is not None:
        keep_slip_photo(session, slip.id, photo, by=by, now=now)
    return remember(session, brought, supplier_id, photo, None, slip=slip, by=by, now=now)


def _check(
    session: Session, brought: Brought, prefixes: Sequence[str], by: Actor, now: datetime
) -> HouseholdRow:
    check_weigher(brought, by)
    if not rules.clock_is_plausible(brought.weighed_at, now):
        raise Refusal(
            "The phone says that this was weighed at %(at)s; its clock cannot be right.",
            at=brought.weighed_at,
        )
    return household_of(session, brought.household, prefixes)


def check_weigher(brought: Brought, by: Actor) -> None:
    """A slip stays with the person who weighed, whoever holds the phone now."""
    if brought.weigher_id != by.user_id:
        raise Forbidden(Text("Somebody else weighed this; they must sign in to send it."))


def household_of(session: Session, code: str, prefixes: Sequence[str]) -> HouseholdRow:
    try:
        return household_in(session, code, prefixes=prefixes)
    except Missing as missing:
        raise Refusal(
            "No household of your villages has the code %(code)s.", code=code
        ) from missing


def find_known(
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


def published_price(session: Session, supplier_id: int, brought: Brought) -> Price:
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


def write_slip(
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


def remember(
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

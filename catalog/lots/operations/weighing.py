"""A household's goods on the scale: the slip is written, confirmed by the household, or void."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import plot_area
from catalog.lots import rules
from catalog.lots.models import (
    Confirmation,
    ReviewReason,
    SlipReview,
    SlipState,
    WeighSlip,
)
from catalog.lots.queries.stock import STANDS
from catalog.lots.queries.weighing import cap_standing, code_of_card, newest_card
from catalog.products.models import Grade, Product
from catalog.products.queries import product_of, purchase_price_on
from catalog.suppliers.models import SupplierState
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Money, Price
from kernel.numbering import next_number
from kernel.periods import business_day, business_year, year_span
from kernel.quantities import BaseUnit
from kernel.text import plain_number, tidy

_STROKES = re.compile(r"[ML0-9 .,-]{0,8000}")


def record_slip(
    session: Session,
    *,
    supplier_id: int,
    household_id: int,
    product_id: int,
    grade: Grade,
    gross_g: int,
    tare_g: int,
    deduction_bp: int,
    device: str,
    device_seq: str,
    weighed_at: datetime,
    asked_price: Price | None = None,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> WeighSlip:
    """What a household brought, at the price published for that day (domain.md §4.5).

    The same number of the same device again gives back the slip it made the first time. A slip at
    another price (`asked_price`, with its reason), above what the household's fields can bear (G19)
    or above its yearly cap is written with a `SlipReview`: its goods stay out of the store until
    somebody else approved it.
    """
    household = get_or_missing(session, Household, household_id, lock=True)
    product = product_of(session, supplier_id, product_id)
    net_g = _checked_net(product, gross_g, tare_g, deduction_bp)
    known = session.scalar(
        sa.select(WeighSlip).where(WeighSlip.device == device, WeighSlip.device_seq == device_seq)
    )
    if known is not None:
        asked = (supplier_id, household_id, product_id, grade, gross_g, tare_g, deduction_bp)
        return _same_slip(known, asked)
    reason = tidy(reason)[:200]
    if asked_price is not None and not reason:
        raise Invalid({"reason": Text("Say why the price is another one.")})
    day = business_day(weighed_at)
    price = purchase_price_on(session, product.id, grade, day)
    if price is None:
        raise Refusal(
            "No purchase price is published for %(product)s of this grade on %(day)s.",
            product=product.name_zh,
            day=day,
        )
    if supplier_sheet(session, supplier_id).state is not SupplierState.ADMITTED:
        raise Refusal("This supplier is not admitted, so it cannot buy from households.")
    pays = asked_price or price.price
    amount = pays.of(net_g, BaseUnit.GRAM)
    doubts = _doubts(session, supplier_id, household, product, net_g, amount, weighed_at)
    if pays != price.price:
        doubts.append(ReviewReason.PRICE)
    slip = WeighSlip(
        number=next_number(session, "WS", now),
        supplier_id=supplier_id,
        household_id=household.id,
        product_id=product.id,
        grade=grade,
        weighed_at=weighed_at,
        gross_g=gross_g,
        tare_g=tare_g,
        deduction_bp=deduction_bp,
        net_g=net_g,
        purchase_price_id=price.id,
        price=pays,
        amount=amount,
        state=SlipState.WEIGHED,
        device=device,
        device_seq=device_seq,
        **stamp(by, now),
    )
    session.add(slip)
    session.flush()  # so that the caller can speak of slip.id
    if doubts:
        why = [each.value for each in ReviewReason if each in doubts]
        session.add(SlipReview(slip_id=slip.id, reasons=why, note=reason, **stamp(by, now)))
    audit.note(
        session, "record_slip", f"slip:{slip.id}", by=by, now=now,
        number=slip.number, review=[each.value for each in doubts],
    )  # fmt: skip
    return slip


def _checked_net(product: Product, gross_g: int, tare_g: int, deduction_bp: int) -> int:
    errors = {}
    if product.base_unit is not BaseUnit.GRAM:
        errors["product"] = Text("%(product)s is counted, not weighed.", product=product.name_zh)
    if gross_g <= 0:
        errors["gross"] = Text("Enter a weight above zero.")
    elif gross_g > 100_000_000:
        errors["gross"] = Text("More than 100 tonnes is no single slip; please check the weight.")
    elif not 0 <= tare_g < gross_g:
        errors["tare"] = Text("The tare must be less than the gross weight.")
    if not 0 <= deduction_bp < 10_000:
        errors["deduction"] = Text("Enter a deduction from 0 to 99.99 %.")
    if errors:
        raise Invalid(errors)
    net_g = rules.net_weight(gross_g, tare_g, deduction_bp)
    if net_g <= 0:
        raise Invalid({"gross": Text("Nothing is left after tare and deduction.")})
    return net_g


def _same_slip(known: WeighSlip, asked: tuple[object, ...]) -> WeighSlip:
    written = (
        known.supplier_id,
        known.household_id,
        known.product_id,
        known.grade,
        known.gross_g,
        known.tare_g,
        known.deduction_bp,
    )
    if known.supplier_id != asked[0]:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if written != asked:
        raise Refusal(
            "This device already wrote slip %(number)s under the same number.", number=known.number
        )
    return known


def _doubts(
    session: Session,
    supplier_id: int,
    household: Household,
    product: Product,
    net_g: int,
    amount: Money,
    weighed_at: datetime,
) -> list[ReviewReason]:
    """Stops goods bought elsewhere from being booked on a farmer's name (domain.md §4.5)."""
    year = business_year(weighed_at)
    doubts = []
    if product.most_yield_kg_per_mu is not None:
        area = plot_area(session, household.id, crop=product.code, year=year)
        most = rules.plausible_g(area, product.most_yield_kg_per_mu)
        if brought_in_year(session, household.id, product.id, year) + net_g > most:
            doubts.append(ReviewReason.YIELD)
    standing = cap_standing(session, supplier_id, household.id, year)
    if rules.over_the_cap(standing.bought, amount, standing.cap):
        doubts.append(ReviewReason.CAP)
    return doubts


def brought_in_year(session: Session, household_id: int, product_id: int, year: int) -> int:
    """Net grams of a product on this household's slips of the year, those that stand."""
    start, end = year_span(year)
    return (
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(WeighSlip.net_g), 0)).where(
                WeighSlip.household_id == household_id,
                WeighSlip.product_id == product_id,
                STANDS,
                WeighSlip.weighed_at >= start,
                WeighSlip.weighed_at < end,
            )
        )
        or 0
    )


def confirm_slip(
    session: Session,
    slip_id: int,
    *,
    confirmation: Confirmation,
    confirmed_by: str,
    signature: str | None = None,
    code: str = "",
    by: Actor,
    now: datetime,
) -> WeighSlip:
    """The household says yes to weight and amount. Saying it twice changes nothing.

    Whoever signs for the household is named with the relation to it; `code` is the six digits of
    the household's card, when it confirms with them.
    """
    slip = get_or_missing(session, WeighSlip, slip_id, lock=True)
    if slip.state in (SlipState.CONFIRMED, SlipState.TAKEN_IN, SlipState.REVERSED):
        return slip
    if slip.state is SlipState.VOID:
        raise Refusal("Slip %(number)s is void.", number=slip.number)
    confirmed_by = tidy(confirmed_by)[:60]
    if confirmation in (Confirmation.PROXY, Confirmation.TEXT_CODE) and not confirmed_by:
        raise Invalid(
            {"confirmed_by": Text("Enter who confirmed, and the relation to the household.")}
        )
    if confirmation is Confirmation.CARD_CODE:
        _check_card(session, slip.household_id, code)
    if signature and not _STROKES.fullmatch(signature):
        raise Invalid({"signature": Text("The signature could not be read; please sign again.")})
    slip.state = SlipState.CONFIRMED
    slip.confirmation = confirmation
    slip.confirmed_by = confirmed_by
    slip.confirmed_at = now
    slip.signature = signature or None
    audit.note(session, "confirm_slip", f"slip:{slip.id}", by=by, now=now, how=confirmation)
    return slip


def _check_card(session: Session, household_id: int, code: str) -> None:
    household = get_or_missing(session, Household, household_id)
    card = newest_card(session, household_id)
    if card is None:
        raise Invalid({"card_code": Text("This household has no card yet; let it sign instead.")})
    if not hmac.compare_digest(code_of_card(card, household.code), plain_number(code)):
        raise Invalid({"card_code": Text("These are not the six digits on the household's card.")})


def void_slip(
    session: Session, slip_id: int, *, reason: str, by: Actor, now: datetime
) -> WeighSlip:
    """Only before it is taken in; afterwards it is reversed by another paper."""
    slip = get_or_missing(session, WeighSlip, slip_id, lock=True)
    if slip.state is SlipState.VOID:
        return slip
    if slip.state in (SlipState.TAKEN_IN, SlipState.REVERSED):
        raise Refusal(
            "Slip %(number)s is in the store already: it can only be reversed.", number=slip.number
        )
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why.")})
    slip.state = SlipState.VOID
    slip.void_reason = tidy(reason)[:200]
    audit.note(session, "void_slip", f"slip:{slip.id}", by=by, now=now, reason=slip.void_reason)
    return slip

"""Sorted, washed, dried, milled, packed: what a step brings out is compared with what it should
(domain.md §2.3, R9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import Lot, StepKind
from catalog.lots.models.papers import YieldBand
from catalog.lots.operations.converting import (
    SAME_GOODS,
    Output,
    Step,
    convert,
    locked_lots,
    made_before,
    plan_draws,
    whole_uid,
)
from catalog.lots.queries.yields import band_for
from catalog.products.models import Grade, Product
from catalog.products.queries import product_of
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Text
from kernel.quantities import BaseUnit
from kernel.sharing import half_up
from kernel.text import tidy

# A step's name on the public road of a lot, where nobody wrote a better one.
STEP_WORDS = {
    StepKind.SORT: ("分拣", "Sorted"),
    StepKind.WASH: ("清洗", "Washed"),
    StepKind.DRY: ("烘干", "Dried"),
    StepKind.MILL: ("磨粉", "Milled"),
    StepKind.PACK: ("分装", "Packed"),
    StepKind.OTHER: ("加工", "Processed"),
}


def process_lot(
    session: Session,
    *,
    supplier_id: int,
    inputs: Mapping[int, int],
    output_product_id: int,
    output_grade: Grade,
    output_quantity: int,
    on: date,
    best_before: date,
    step: str = "",
    step_en: str = "",
    kind: StepKind | None = None,
    reason: str = "",
    available_from: date | None = None,
    request_key: str | None = None,
    uid: str | None = None,
    by: Actor,
    now: datetime,
) -> Lot:
    """`inputs` (lot → quantity) become one new lot with their households and costs. Only free goods
    of one store are used. A yield outside of what is expected of the step asks for a reason.
    """
    uid = whole_uid(uid)
    if made := made_before(session, request_key, uid):
        return made
    _check(inputs, output_quantity, on, best_before)
    product = product_of(session, supplier_id, output_product_id)
    lots = locked_lots(session, list(inputs), supplier_id, product.id)
    draws = plan_draws(lots, inputs)
    band = _expected(session, lots, product, kind)
    reason = tidy(reason)[:200]
    _check_yield(sum(inputs.values()), output_quantity, band, reason)
    usual = STEP_WORDS[kind or StepKind.OTHER]
    return convert(
        session,
        draws,
        [
            Output(
                product=product, grade=output_grade, quantity=output_quantity, harvested_on=on,
                since=available_from or on, until=best_before, store_id=lots[0].store_id, uid=uid,
            )
        ],
        Step(
            kind=kind, words=tidy(step)[:40] or usual[0], on=on,
            words_en=tidy(step_en) or tidy(step)[:40] or usual[1],
            band=band, reason=reason, request_key=request_key,
        ),
        supplier_id=supplier_id, by=by, now=now,
    ).output_lot  # fmt: skip


def _check(inputs: Mapping[int, int], output_quantity: int, on: date, best_before: date) -> None:
    errors = {}
    if not inputs or any(quantity <= 0 for quantity in inputs.values()):
        errors["inputs"] = Text("Say how much of which lot is used.")
    if output_quantity <= 0:
        errors["output_quantity"] = Text("Say how much came out.")
    if best_before < on:
        errors["best_before"] = Text("It ends before it begins.")
    if errors:
        raise Invalid(errors)


def _expected(
    session: Session, lots: Sequence[Lot], product: Product, kind: StepKind | None
) -> tuple[int, int] | None:
    """The yield that is expected, where there can be one: one kind of goods, weighed both times."""
    sources = {lot.product_id for lot in lots}
    weighed = all(unit is BaseUnit.GRAM for unit in (lots[0].product.base_unit, product.base_unit))
    if kind is None or len(sources) > 1 or not weighed:
        return None
    return band_for(session, lots[0].product_id, product.id, kind)


def _check_yield(put_in: int, came_out: int, band: tuple[int, int] | None, reason: str) -> None:
    if band is None or reason or rules.within_band(put_in, came_out, band):
        return
    raise Invalid(
        {
            "reason": Text(
                "%(share)s came out; %(least)s to %(most)s is expected. Please weigh again, or say "
                "why.",
                share=_share(came_out, put_in),
                least=_share(band[0], 10_000),
                most=_share(band[1], 10_000),
            )
        }
    )


def _share(part: int, whole: int) -> str:
    """`9.87 %`, as pages write it."""
    hundredths = half_up(part * 10_000, whole)
    return f"{hundredths // 100}.{hundredths % 100:02} %"


def publish_band(
    session: Session,
    supplier_id: int,
    *,
    input_product_id: int,
    output_product_id: int,
    kind: StepKind,
    least_bp: int,
    most_bp: int,
    by: Actor,
    now: datetime,
) -> YieldBand:
    """What a step should bring out from now on; slips before keep what they were held to."""
    for key in (input_product_id, output_product_id):
        product_of(session, supplier_id, key)
    if kind in SAME_GOODS:
        raise Invalid({"kind": Text("Nothing is lost when goods only change their place.")})
    if not 0 <= least_bp <= most_bp:
        raise Invalid({"most": Text("The most must not be below the least.")})
    band = YieldBand(
        input_product_id=input_product_id,
        output_product_id=output_product_id,
        kind=kind,
        least_bp=least_bp,
        most_bp=most_bp,
        **stamp(by, now),
    )
    session.add(band)
    session.flush()
    audit.note(session, "publish_band", f"yield_band:{band.id}", by=by, now=now)
    return band

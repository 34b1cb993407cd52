"""分级: one lot becomes several, one of each grade, on one slip with one mass balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import Processing, StepKind
from catalog.lots.operations.converting import (
    Output,
    Step,
    convert,
    locked_lots,
    made_before,
    plan_draws,
)
from catalog.lots.queries.yields import step_that_made
from catalog.products.models import Grade
from kernel.actors import Actor
from kernel.errors import Invalid, Text
from kernel.quantities import BaseUnit, kilograms
from kernel.text import tidy


@dataclass(frozen=True, slots=True)
class Sorted:
    """So much of one grade came out, in base units."""

    grade: Grade
    quantity: int


def sort_lot(
    session: Session,
    lot_id: int,
    put_in: int,
    outputs: Sequence[Sorted],
    *,
    supplier_id: int,
    waste: int = 0,
    reason: str = "",
    on: date,
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> Processing:
    """`put_in` base units of a lot become one new lot of each grade, and `waste` that is thrown
    away. Grades and waste never weigh more than what was put in, and less only within the usual
    loss (domain.md §2.3, R9: 2 %) or with a reason. Every household keeps its part of every grade
    and its whole cost; waste costs nothing. The new lots expire with the old one.
    """
    if made := made_before(session, request_key):
        return step_that_made(session, supplier_id, made.id)
    [lot] = locked_lots(session, [lot_id], supplier_id)
    reason = tidy(reason)[:200]
    band = rules.USUAL_BANDS[StepKind.SORT.value]
    _check(put_in, outputs, waste, reason, band, lot.product.base_unit)
    if on < lot.harvested_on:
        raise Invalid({"on": Text("Choose %(day)s or later.", day=lot.harvested_on)})
    draws = plan_draws([lot], {lot.id: put_in})
    return convert(
        session,
        draws,
        [
            Output(
                product=lot.product, grade=each.grade, quantity=each.quantity,
                harvested_on=lot.harvested_on, since=max(lot.available_from, on),
                until=lot.best_before, store_id=lot.store_id,
            )
            for each in outputs
        ],
        Step(
            kind=StepKind.SORT, words="分级", words_en="Sorted by grade", on=on, band=band,
            reason=reason, request_key=request_key, waste=waste,
        ),
        supplier_id=supplier_id, by=by, now=now,
    )  # fmt: skip


def _check(
    put_in: int,
    outputs: Sequence[Sorted],
    waste: int,
    reason: str,
    band: tuple[int, int],
    unit: BaseUnit,
) -> None:
    if put_in <= 0:
        raise Invalid({"put_in": Text("Say how much of which lot is used.")})
    if not outputs or any(each.quantity <= 0 for each in outputs) or waste < 0:
        raise Invalid({"outputs": Text("Say how much came out.")})
    if len({each.grade for each in outputs}) < len(outputs):
        raise Invalid({"outputs": Text("Each grade stands on the slip once.")})
    weighed = sum(each.quantity for each in outputs) + waste
    if weighed > put_in:
        more = Text(
            "Grades and waste are %(more)s more than what was put in; please weigh again.",
            more=said(weighed - put_in, unit),
        )
        raise Invalid({"outputs": more})
    if not rules.within_band(put_in, weighed, band) and not reason:
        missing = Text(
            "%(missing)s is neither in a grade nor waste, more than 2 %% of what was put in. "
            "Please weigh again, or say why.",
            missing=said(put_in - weighed, unit),
        )
        raise Invalid({"reason": missing})


def said(quantity: int, unit: BaseUnit) -> str:
    """`1.25 kg`, or a number of pieces."""
    return f"{kilograms(quantity)} kg" if unit is BaseUnit.GRAM else str(quantity)

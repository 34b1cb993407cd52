"""Some lots become another: the households and their costs go with the goods (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots import rules
from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotEventKind,
    LotState,
    MoveKind,
    Processing,
    ProcessingInput,
    StockMove,
)
from catalog.lots.operations.conformity import certify
from catalog.lots.operations.intake import make_lot
from catalog.lots.operations.stock import take_out
from catalog.lots.queries.stock import gone_from_the_top, lock_pools
from catalog.products.models import Grade
from catalog.products.queries import product_of
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Money
from kernel.numbering import next_number


def process_lot(
    session: Session,
    *,
    supplier_id: int,
    inputs: Mapping[int, int],
    output_product_id: int,
    output_grade: Grade,
    output_quantity: int,
    step: str,
    on: date,
    best_before: date,
    step_en: str = "",
    available_from: date | None = None,
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> Lot:
    """`inputs` (lot → quantity) become one new lot. Each household has the part of the output that
    it had of the input, and carries its own cost over, to the fen. Only free goods are used.
    """
    if made := _made_before(session, request_key):
        return made
    _check(inputs, output_quantity, on, best_before)
    product = product_of(session, supplier_id, output_product_id)
    supplier = supplier_sheet(session, supplier_id)
    lots = _locked_lots(session, inputs, supplier_id, product.id)
    draws = _plan(lots, inputs)
    parts = _priced(session, draws)
    lot = make_lot(
        session, supplier, product, output_grade, on,
        since=available_from or on, until=best_before, by=by, now=now,
    )  # fmt: skip
    processing = Processing(
        number=next_number(session, "PR", now),
        request_key=request_key,
        output_lot_id=lot.id,
        step=step,
        input_quantity=sum(inputs.values()),
        output_quantity=output_quantity,
        on=on,
        inputs=[ProcessingInput(lot_id=key, quantity=inputs[key]) for key in sorted(inputs)],
        **stamp(by, now),
    )
    session.add(processing)
    session.flush()  # so that moves can name processing.id as their cause
    take_out(
        session,
        [(contribution.id, quantity) for contribution, quantity in draws],
        kind=MoveKind.TO_PROCESSING,
        cause_prefix=f"processing:{processing.id}:in",
        by=by,
        now=now,
    )
    _bring_out(session, lot, processing, rules.carry_over(parts, output_quantity), by=by, now=now)
    before = [each.certificate_no for each in lots]
    certify(session, lot, product, supplier, sources=before, by=by, now=now)
    session.add(
        LotEvent(
            lot_id=lot.id, kind=LotEventKind.PROCESSED, on=on,
            note_zh=step, note_en=step_en or step,
            details={"processing": processing.number}, **stamp(by, now),
        )
    )  # fmt: skip
    audit.note(
        session, "process_lot", f"lot:{lot.id}", by=by, now=now,
        number=processing.number, inputs={str(key): inputs[key] for key in sorted(inputs)},
    )  # fmt: skip
    return lot


def _made_before(session: Session, request_key: str | None) -> Lot | None:
    if request_key is None:
        return None
    return session.scalar(
        sa.select(Lot)
        .join(Processing, Processing.output_lot_id == Lot.id)
        .where(Processing.request_key == request_key)
    )


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


def _locked_lots(
    session: Session, inputs: Mapping[int, int], supplier_id: int, output_product_id: int
) -> list[Lot]:
    mine = sa.and_(Lot.id.in_(list(inputs)), Lot.supplier_id == supplier_id)
    pools = list(session.scalars(sa.select(Lot.product_id).where(mine)))
    lock_pools(session, [*pools, output_product_id])
    lots = list(
        session.scalars(
            sa.select(Lot)
            .options(joinedload(Lot.contributions), joinedload(Lot.product))
            .where(mine)
            .order_by(Lot.id)
            .execution_options(populate_existing=True)
        ).unique()
    )
    if len(lots) < len(inputs):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if len({lot.product.base_unit for lot in lots}) > 1:
        raise Refusal("Goods that are weighed and goods that are counted cannot be mixed.")
    return lots


def _plan(lots: Sequence[Lot], inputs: Mapping[int, int]) -> list[tuple[Contribution, int]]:
    """What each contribution gives: in proportion to what is free in it."""
    reasons, draws = [], []
    for lot in lots:
        parts = sorted(lot.contributions, key=lambda part: part.id)
        frees = [part.on_hand - part.reserved for part in parts]
        if lot.state is not LotState.OPEN:
            reasons.append(Text("Lot %(code)s is not open.", code=lot.code))
        elif inputs[lot.id] > sum(frees):
            reasons.append(
                Text(
                    "Lot %(code)s has only %(free)s free, %(wanted)s is wanted.",
                    code=lot.code,
                    free=sum(frees),
                    wanted=inputs[lot.id],
                )
            )
        else:
            taken = rules.draw_evenly(inputs[lot.id], frees)
            draws += [
                (part, quantity) for part, quantity in zip(parts, taken, strict=True) if quantity
            ]
    if reasons:
        raise Refusal(Text("These lots cannot be processed like this."), tuple(reasons))
    return draws


def _priced(session: Session, draws: Sequence[tuple[Contribution, int]]) -> list[rules.Part]:
    gone = gone_from_the_top(session, [contribution.id for contribution, _ in draws])
    return [
        rules.Part(
            contribution.household_id,
            quantity,
            rules.cost_from_the_top(
                contribution.cost.fen, contribution.quantity, gone.get(contribution.id, 0), quantity
            ),
        )
        for contribution, quantity in draws
    ]


def _bring_out(
    session: Session,
    lot: Lot,
    processing: Processing,
    parts: Sequence[rules.Part],
    *,
    by: Actor,
    now: datetime,
) -> None:
    contributions = [
        Contribution(
            lot_id=lot.id,
            product_id=lot.product_id,
            household_id=part.household_id,
            quantity=part.quantity,
            cost=Money(part.cost),
            on_hand=part.quantity,
            reserved=0,
            **stamp(by, now),
        )
        for part in parts
    ]
    session.add_all(contributions)
    session.flush()  # so that moves can point to their ids
    session.add_all(
        StockMove(
            contribution_id=contribution.id,
            kind=MoveKind.FROM_PROCESSING,
            quantity=contribution.quantity,
            cause=f"processing:{processing.id}:out:{contribution.id}",
            **stamp(by, now),
        )
        for contribution in contributions
    )
    session.flush()

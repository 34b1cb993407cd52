"""Goods become another lot: the one function behind processing, splitting and transfers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

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
    ProcessingOutput,
    StepKind,
    StockMove,
)
from catalog.lots.operations.conformity import certify
from catalog.lots.operations.intake import make_lot
from catalog.lots.operations.stock import take_out
from catalog.lots.queries.stock import gone_from_the_top, lock_pools
from catalog.products.models import Grade, Product
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Money
from kernel.numbering import next_number

SAME_GOODS = (StepKind.SPLIT, StepKind.REPACK, StepKind.TRANSFER)

Draw = tuple[Contribution, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done with the goods, as its slip will say."""

    kind: StepKind | None
    words: str
    words_en: str
    on: date
    band: tuple[int, int] | None = None
    reason: str | None = None
    event: LotEventKind = LotEventKind.PROCESSED
    request_key: str | None = None
    waste: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A lot that comes out."""

    product: Product
    grade: Grade
    quantity: int
    harvested_on: date
    since: date
    until: date
    state: LotState = LotState.OPEN
    store_id: int | None = None
    uid: str | None = None


def whole_uid(uid: str | None) -> str | None:
    """As every phone writes it: 36 characters, lower case."""
    try:
        return None if uid is None else str(UUID(uid))
    except ValueError:
        raise Invalid({"uid": Text("This is not a UUID.")}) from None


def made_before(session: Session, request_key: str | None, uid: str | None = None) -> Lot | None:
    """The lot that an earlier sending of this very request made."""
    if request_key is None and uid is None:
        return None
    return session.scalar(
        sa.select(Lot)
        .join(Processing, Processing.output_lot_id == Lot.id)
        .where(
            sa.or_(
                sa.and_(sa.literal(request_key is not None), Processing.request_key == request_key),
                sa.and_(sa.literal(uid is not None), Lot.uid == uid),
            )
        )
    )


def locked_lots(
    session: Session, lot_ids: Sequence[int], supplier_id: int, *product_ids: int
) -> list[Lot]:
    """These lots of this supplier with product and parts, read again behind the locks of their
    pools (and of these products' pools); or Missing."""
    mine = sa.and_(Lot.id.in_(list(lot_ids)), Lot.supplier_id == supplier_id)
    pools = list(session.scalars(sa.select(Lot.product_id).where(mine)))
    lock_pools(session, [*pools, *product_ids])
    lots = list(
        session.scalars(
            sa.select(Lot)
            .options(joinedload(Lot.contributions), joinedload(Lot.product))
            .where(mine)
            .order_by(Lot.id)
            .execution_options(populate_existing=True)
        ).unique()
    )
    if not lot_ids or len(lots) < len(set(lot_ids)):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return lots


def plan_draws(lots: Sequence[Lot], inputs: Mapping[int, int]) -> list[Draw]:
    """What is taken of whose goods; or a Refusal that names every lot that has not enough."""
    reasons, draws = [], []
    for lot in lots:
        parts = sorted(lot.contributions, key=lambda part: part.id)
        frees = [part.on_hand - part.reserved for part in parts]
        if lot.state is not LotState.OPEN:
            reasons.append(Text("Lot %(code)s is not open.", code=lot.code))
        elif lot.store_id != lots[0].store_id:
            reasons.append(Text("Lot %(code)s lies in another store.", code=lot.code))
        elif inputs[lot.id] > sum(frees):
            reasons.append(
                Text(
                    "Lot %(code)s has only %(free)s free, %(wanted)s is wanted.",
                    code=lot.code, free=sum(frees), wanted=inputs[lot.id],
                )
            )  # fmt: skip
        else:
            taken = rules.draw_evenly(inputs[lot.id], frees)
            draws += [
                (part, quantity) for part, quantity in zip(parts, taken, strict=True) if quantity
            ]
    if reasons:
        raise Refusal(Text("These lots cannot be used like this."), tuple(reasons))
    return draws


def convert(
    session: Session,
    draws: Sequence[Draw],
    outputs: Sequence[Output],
    step: Step,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> Processing:
    """The drawn goods leave their lots and come into new ones. Each household has the part of each
    output that it had of the input, and carries its own cost over, to the fen. Pools are locked.
    """
    parts = _priced(session, draws)
    supplier = supplier_sheet(session, supplier_id)
    lots = [
        make_lot(
            session, supplier, output.product, output.grade,
            output.harvested_on, since=output.since, until=output.until, state=output.state,
            store_id=output.store_id, uid=output.uid, by=by, now=now,
        )
        for output in outputs
    ]  # fmt: skip
    processing = _slip(session, draws, lots, outputs, step, by=by, now=now)
    same = step.kind in SAME_GOODS
    take_out(
        session,
        [(contribution.id, quantity) for contribution, quantity in draws],
        kind=MoveKind.MOVED_OUT if same else MoveKind.TO_PROCESSING,
        cause_prefix=f"processing:{processing.id}:in",
        by=by,
        now=now,
    )
    kind = MoveKind.MOVED_IN if same else MoveKind.FROM_PROCESSING
    carried = rules.carry_over(parts, [output.quantity for output in outputs])
    sources = _certificates(session, draws)
    cause = f"processing:{processing.id}:out"
    for lot, output, brought in zip(lots, outputs, carried, strict=True):
        _bring_out(session, lot, brought, kind, cause, by=by, now=now)
        certify(session, lot, output.product, supplier, sources=sources, by=by, now=now)
        session.add(
            LotEvent(
                lot_id=lot.id, kind=step.event, on=step.on, note_zh=step.words,
                note_en=step.words_en, details={"processing": processing.number},
                **stamp(by, now),
            )
        )  # fmt: skip
    audit.note(
        session, f"{step.kind.value}_lot" if same and step.kind else "process_lot",
        f"lot:{lots[0].id}", by=by, now=now, number=processing.number,
        inputs={str(key): quantity for key, quantity in _by_lot(draws).items()},
    )  # fmt: skip
    return processing


def _slip(
    session: Session,
    draws: Sequence[Draw],
    lots: Sequence[Lot],
    outputs: Sequence[Output],
    step: Step,
    *,
    by: Actor,
    now: datetime,
) -> Processing:
    inputs = _by_lot(draws)
    least, most = step.band or (None, None)
    processing = Processing(
        number=next_number(session, "DB" if step.kind is StepKind.TRANSFER else "PR", now),
        request_key=step.request_key,
        output_lot=lots[0],
        step=step.words,
        input_quantity=sum(inputs.values()),
        output_quantity=sum(output.quantity for output in outputs),
        waste=step.waste,
        on=step.on,
        kind=step.kind,
        least_bp=least,
        most_bp=most,
        reason=step.reason or None,
        inputs=[ProcessingInput(lot_id=key, quantity=inputs[key]) for key in sorted(inputs)],
        others=[
            ProcessingOutput(lot=lot, quantity=output.quantity, **stamp(by, now))
            for lot, output in zip(lots[1:], outputs[1:], strict=True)
        ],
        **stamp(by, now),
    )
    session.add(processing)
    session.flush()  # so that moves can name processing.id as their cause
    return processing


def _certificates(session: Session, draws: Sequence[Draw]) -> list[str]:
    """What vouched for the goods until now, for the new lot's certificate to name."""
    lots = sa.select(Lot.certificate_no).where(Lot.id.in_(_by_lot(draws))).order_by(Lot.id)
    return list(session.scalars(lots))


def _by_lot(draws: Sequence[Draw]) -> dict[int, int]:
    found: dict[int, int] = {}
    for contribution, quantity in draws:
        found[contribution.lot_id] = found.get(contribution.lot_id, 0) + quantity
    return found


def _priced(session: Session, draws: Sequence[Draw]) -> list[rules.Part]:
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
    parts: Sequence[rules.Part],
    kind: MoveKind,
    cause_prefix: str,
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
            kind=kind,
            quantity=contribution.quantity,
            cause=f"{cause_prefix}:{contribution.id}",
            **stamp(by, now),
        )
        for contribution in contributions
    )
    session.flush()

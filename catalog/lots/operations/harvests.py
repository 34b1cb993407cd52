"""Harvests announced, corrected, counted as they come in, and over.

Every step ends in `_settle`: a part's `may_promise` follows from what is still expected, and its
`on_hand` is that, or what is promised already if that is more. So promises never exceed what is
there to promise, and what a harvest falls short of shows at once as `short`, never as a negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots import rules
from catalog.lots.models import Contribution, Lot, LotState, MoveKind, StockMove
from catalog.lots.models.harvests import Harvest, HarvestArrival, HarvestPart
from catalog.lots.operations.intake import make_lot
from catalog.lots.queries.harvests import growers, harvest_of, uncounted_parts
from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Grade, Product
from catalog.products.queries import product_of
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import ZERO
from kernel.periods import business_day
from kernel.text import tidy

FULL = 10_000
LONGEST_DAYS = 366


def announce_harvest(
    session: Session,
    supplier_id: int,
    *,
    product_id: int,
    grade: Grade,
    available_from: date,
    good_until: date,
    confidence_bp: int,
    parts: Mapping[int, int],
    prefixes: Sequence[str],
    note: str = "",
    by: Actor,
    now: datetime,
) -> Harvest:
    """Goods that households will bring: `parts` is household → base units. Flushed.

    Only households of these regions whose fields bear so much (R18); without households there is
    nothing to promise, so a harvest has at least one.
    """
    supplier = session.scalars(
        sa.select(Supplier)
        .options(joinedload(Supplier.organisation))
        .where(Supplier.id == supplier_id)
    ).one()
    product = product_of(session, supplier_id, product_id)
    lock_pools(session, [product.id])
    today = business_day(now)
    errors: dict[str, Text] = {}
    if available_from <= today:
        errors["available_from"] = Text("A harvest is announced before its first day.")
    elif (available_from - today).days > LONGEST_DAYS:
        errors["available_from"] = Text("A harvest is announced at most a year ahead.")
    if good_until < available_from:
        errors["good_until"] = Text("The last day is before the first.")
    if not 0 < confidence_bp <= FULL:
        errors["confidence"] = Text("Between 1 % and 100 %.")
    if not parts or any(quantity <= 0 for quantity in parts.values()):
        errors["parts"] = Text("Say what at least one household will bring.")
    else:
        errors |= _beyond_the_fields(session, product, prefixes, today.year, parts)
    if not errors and not any(
        rules.promisable(quantity, 0, confidence_bp) for quantity in parts.values()
    ):
        errors["parts"] = Text("This is too little to promise anything of it.")
    if errors:
        raise Invalid(errors)
    lot = make_lot(
        session, supplier, product, grade, available_from, since=available_from,
        until=good_until, state=LotState.EXPECTED, by=by, now=now,
    )  # fmt: skip
    harvest = Harvest(
        lot_id=lot.id, supplier_id=supplier_id, confidence_bp=confidence_bp,
        note=tidy(note)[:200], ended_at=None, parts=[], **stamp(by, now),
    )  # fmt: skip
    session.add(harvest)
    session.flush()  # parts point to it
    for household_id, quantity in sorted(parts.items()):
        if may := rules.promisable(quantity, 0, confidence_bp):
            harvest.parts.append(_part(session, harvest, lot, household_id, quantity, may, by, now))
    session.flush()
    audit.note(
        session, "announce_harvest", f"lot:{lot.id}", by=by, now=now,
        code=lot.code, expected=sum(parts.values()), households=len(parts),
        confidence_bp=confidence_bp,
    )  # fmt: skip
    return harvest


def _beyond_the_fields(
    session: Session, product: Product, prefixes: Sequence[str], year: int, parts: Mapping[int, int]
) -> dict[str, Text]:
    known = {
        each.household_id: each
        for each in growers(session, product, prefixes, year=year, household_ids=parts)
    }
    errors = {}
    for household_id, quantity in parts.items():
        grower = known.get(household_id)
        if grower is None:
            errors[f"part-{household_id}"] = Text("This household grows nothing of it this year.")
        elif grower.plausible is not None and quantity > grower.plausible:
            errors[f"part-{household_id}"] = Text(
                "%(name)s: the fields bear %(most)s kg more at most.",
                name=grower.name, most=f"{grower.plausible / 1000:g}",
            )  # fmt: skip
    return errors


def _part(
    session: Session,
    harvest: Harvest,
    lot: Lot,
    household_id: int,
    quantity: int,
    may: int,
    by: Actor,
    now: datetime,
) -> HarvestPart:
    contribution = Contribution(
        lot_id=lot.id, product_id=lot.product_id, household_id=household_id,
        quantity=may, cost=ZERO, on_hand=may, reserved=0, **stamp(by, now),
    )  # fmt: skip
    session.add(contribution)
    session.flush()  # its move and its part point to it
    session.add(
        StockMove(
            contribution_id=contribution.id, kind=MoveKind.EXPECTED, quantity=may,
            cause=f"harvest:{harvest.id}:{contribution.id}", **stamp(by, now),
        )
    )  # fmt: skip
    return HarvestPart(
        harvest_id=harvest.id, contribution=contribution, announced=quantity, expected=quantity,
        came=0, may_promise=may, **stamp(by, now),
    )  # fmt: skip


def correct_harvest(
    session: Session,
    supplier_id: int,
    code: str,
    expected: Mapping[int, int],
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> Harvest:
    """What is expected now, part → base units in all; parts that are not named stay. What was
    promised beyond it stays promised and is short from this moment on."""
    harvest = lock_harvest(session, supplier_id, code)
    why = tidy(reason)[:200]
    errors: dict[str, Text] = {} if why else {"reason": Text("Say why.")}
    before = {part.id: part.expected for part in harvest.parts}
    for part in harvest.parts:
        if not 0 <= expected.get(part.id, 0) <= part.announced:
            errors[f"part-{part.id}"] = Text(
                "Not more than was announced; announce what is more as another harvest."
            )
    if errors:
        raise Invalid(errors)
    if harvest.ended_at is not None:
        raise Refusal("This harvest is over.")
    for part in harvest.parts:
        part.expected = expected.get(part.id, part.expected)
    settle(session, harvest, by=by, now=now)
    audit.note(
        session, "correct_harvest", f"lot:{harvest.lot_id}", by=by, now=now, reason=why,
        before=before, after={part.id: part.expected for part in harvest.parts},
    )  # fmt: skip
    return harvest


def end_harvest(
    session: Session, supplier_id: int, code: str, *, reason: str, by: Actor, now: datetime
) -> Harvest:
    """Nothing more is coming. What is still promised of it is short. A second time changes
    nothing."""
    harvest = lock_harvest(session, supplier_id, code)
    if harvest.ended_at is not None:
        return harvest
    why = tidy(reason)[:200]
    if not why:
        raise Invalid({"reason": Text("Say why.")})
    harvest.ended_at, harvest.ended_by_id, harvest.ended_reason = now, by.user_id, why
    settle(session, harvest, by=by, now=now)
    audit.note(session, "end_harvest", f"lot:{harvest.lot_id}", by=by, now=now, reason=why)
    return harvest


def count_arrivals(
    session: Session, harvest: Harvest, lot_id: int, *, by: Actor, now: datetime
) -> int:
    """What these households brought into this lot came of the harvest; each part of a lot counts
    once, for one harvest. Answers how many base units were counted. The harvest is locked."""
    of_household = {part.contribution.household_id: part for part in harvest.parts}
    counted = 0
    for brought in uncounted_parts(session, lot_id):
        part = of_household.get(brought.household_id)
        if part is not None:
            part.came += brought.quantity
            counted += brought.quantity
            session.add(
                HarvestArrival(
                    part_id=part.id, contribution_id=brought.id, quantity=brought.quantity,
                    **stamp(by, now),
                )
            )  # fmt: skip
    return counted


def settle(session: Session, harvest: Harvest, *, by: Actor, now: datetime) -> None:
    """Bring `may_promise` and `on_hand` of every part to what they must be. The pool is locked."""
    session.flush()
    before = _moves_of(session, [part.contribution_id for part in harvest.parts])
    for part in harvest.parts:
        contribution = part.contribution
        session.refresh(contribution, ["on_hand", "reserved"])
        part.may_promise = part.right_promise()
        there = max(contribution.reserved, part.may_promise)
        if there != contribution.on_hand:
            session.add(
                StockMove(
                    contribution_id=contribution.id, kind=MoveKind.EXPECTED,
                    quantity=there - contribution.on_hand,
                    cause=f"harvest:{harvest.id}:{contribution.id}:{before[contribution.id]}",
                    **stamp(by, now),
                )
            )  # fmt: skip
            contribution.on_hand = there
    session.flush()


def _moves_of(session: Session, contribution_ids: Sequence[int]) -> dict[int, int]:
    """Contribution → how many moves it has: the serial of its next one. One statement."""
    return {
        key: int(count)
        for key, count in session.execute(
            sa.select(StockMove.contribution_id, sa.func.count())
            .where(StockMove.contribution_id.in_(contribution_ids))
            .group_by(StockMove.contribution_id)
        )
    }


def lock_harvest(session: Session, supplier_id: int, code: str) -> Harvest:
    """The harvest read fresh, with nobody promising of its product until the end."""
    lock_pools(session, [harvest_of(session, supplier_id, code).lot.product_id])
    return harvest_of(session, supplier_id, code)

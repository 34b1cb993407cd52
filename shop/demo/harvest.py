"""Mornings at the scale, lots in the store, and what workshop, mill and factory make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Confirmation, Contribution, Lot, WeighSlip
from catalog.lots.operations import confirm_slip, process_lot, record_slip
from catalog.lots.queries import candidates
from catalog.products.models import Grade
from catalog.products.rules import in_season
from kernel.actors import Role
from kernel.periods import business_day
from orders.shares.operations import take_in_slips, write_off
from shop.demo import tables
from shop.demo.supply import Intake, Making
from shop.demo.town import Home, Town, at


@dataclass(frozen=True, slots=True)
class Load:
    """What one household brings one morning, net grams as planned."""

    home: Home
    grams: int


@dataclass(frozen=True, slots=True)
class Morning:
    intake: Intake
    loads: tuple[Load, ...]


def share_among_homes(
    intakes: Iterable[Intake], homes: list[Home], chance: Random
) -> list[Morning]:
    """Who brings what: whoever has brought least so far comes first."""
    growers: dict[str, list[Home]] = defaultdict(list)
    for home in homes:
        for crop in _crops_of(home):
            growers[crop].append(home)
    brought: dict[tuple[str, int], int] = defaultdict(int)
    mornings = []
    for intake in sorted(intakes, key=lambda each: (each.day, each.product, each.grade)):
        pool = growers[intake.product]
        if not pool:
            continue
        order = sorted(
            pool, key=lambda home: (brought[intake.product, home.number], chance.random())
        )
        chosen = order[: min(len(order), intake.loads)]
        weights = [chance.uniform(0.7, 1.3) for _ in chosen]
        loads = []
        for home, weight in zip(chosen, weights, strict=True):
            grams = max(500, int(intake.grams * weight / sum(weights)) // 100 * 100)
            brought[intake.product, home.number] += grams
            loads.append(Load(home, grams))
        mornings.append(Morning(intake, tuple(loads)))
    return mornings


def _crops_of(home: Home) -> Iterable[str]:
    yield from home.crops
    if "P01" in home.crops:
        yield "P03"  # who keeps pigs smokes some of the meat


def brought_in(mornings: Iterable[Morning]) -> dict[tuple[int, str, int], int]:
    """Grams by household, product and year: what its fields must have borne."""
    total: dict[tuple[int, str, int], int] = defaultdict(int)
    for morning in mornings:
        for load in morning.loads:
            total[load.home.number, morning.intake.product, morning.intake.day.year] += load.grams
    return total


def plan_harvest(town: Town, mornings: Iterable[Morning], makings: Iterable[Making]) -> None:
    """Put every morning and every making on the agenda."""
    chance = town.chance("scale")
    for number, morning in enumerate(mornings):
        town.plan(at(morning.intake.day, 6, 40), _weigh_in, town, morning, number, chance)
    for making in makings:
        # Leaves and corms of this very morning; everything else comes out of the store.
        hour = 11 if making.recipe.source[0] in ("T01", "K01") else 5
        town.plan(at(making.day, hour, 30), _make, town, making)
    day = town.span.trade + timedelta(days=30)
    while day < town.span.today:
        town.plan(at(day, 17, 30), _clear_out, town)
        day += timedelta(days=30)
    town.plan(at(town.span.today - timedelta(days=1), 17, 30), _clear_out, town)


def _weigh_in(
    town: Town, morning: Morning, number: int, chance: Random, session: Session, now: datetime
) -> None:
    code, day = morning.intake.product, morning.intake.day
    supplier = tables.products()[code]["supplier"]
    weigher = town.actor(supplier, Role.WEIGHER)
    slips = []
    for place, load in enumerate(morning.loads):
        weighed = now + timedelta(minutes=4 * place)
        key = f"{number}-{place}"
        slip = weigh(town, session, code, morning.intake.grade, load, key, chance, weighed)
        confirm_slip(
            session, slip.id, confirmation=_confirmation(chance), confirmed_by="本人",
            by=weigher, now=weighed + timedelta(minutes=2),
        )  # fmt: skip
        slips.append(slip.id)
    take_in_slips(
        session,
        slips,
        supplier_id=town.suppliers[supplier],
        best_before=_keeps_until(code, day),
        by=town.actor(supplier, Role.STOREKEEPER),
        now=at(day, 8, 20),
    )


def weigh(
    town: Town,
    session: Session,
    code: str,
    grade: str,
    load: Load,
    key: str,
    chance: Random,
    now: datetime,
) -> WeighSlip:
    """One household at the scale."""
    supplier = tables.products()[code]["supplier"]
    row = tables.products()[code]
    dirty = row.get("most_yield") and load.grams > 50_000
    deduction = chance.choice((0, 100, 100, 200, 300)) if dirty else 0
    tare = chance.randint(8, 42) * 100
    gross = -(-load.grams * 10_000 // (10_000 - deduction)) // 100 * 100 + 100 + tare
    return record_slip(
        session,
        supplier_id=town.suppliers[supplier],
        household_id=town.households[load.home.number],
        product_id=town.products[code],
        grade=Grade(grade),
        gross_g=gross,
        tare_g=tare,
        deduction_bp=deduction,
        device=f"{supplier}-01",
        device_seq=key,
        weighed_at=now,
        by=town.actor(supplier, Role.WEIGHER),
        now=now,
    )


def _confirmation(chance: Random) -> Confirmation:
    return chance.choice((Confirmation.SIGNATURE, Confirmation.SIGNATURE, Confirmation.FINGERPRINT))


def _keeps_until(code: str, day: date) -> date | None:
    """Out of its harvest a root comes from the cellar, and does not keep as long any more."""
    row = tables.products()[code]
    if row["stored"] and not in_season(row["harvest"], day):
        return day + timedelta(days=max(12, row["shelf"] * 2 // 3))
    return None


def _make(town: Town, making: Making, session: Session, now: datetime) -> None:
    code, grade = making.recipe.output
    source, source_grade = making.recipe.source
    supplier = tables.products()[code]["supplier"]
    wanted = int(making.grams / making.recipe.ratio)
    inputs = _oldest_lots(session, town.products[source], source_grade, wanted, making.day)
    output = int(sum(inputs.values()) * making.recipe.ratio) // 100 * 100
    if output < 1_000:
        return
    process_lot(
        session,
        supplier_id=town.suppliers[supplier],
        inputs=inputs,
        output_product_id=town.products[code],
        output_grade=Grade(grade),
        output_quantity=output,
        step=making.recipe.step,
        step_en=making.recipe.step_en,
        on=making.day,
        best_before=making.day + timedelta(days=tables.products()[code]["shelf"]),
        by=town.actor(supplier, Role.STOREKEEPER),
        now=now,
    )


def _clear_out(town: Town, session: Session, now: datetime) -> None:
    """What is past its day and spoken for by nobody is written off."""
    today = business_day(now)
    codes = {key: code for code, key in town.suppliers.items()}
    found = session.execute(
        sa.select(Contribution.id, Contribution.on_hand, Lot.supplier_id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Lot.best_before < today, Contribution.on_hand > 0, Contribution.reserved == 0)
        .order_by(Contribution.id)
    ).all()
    for key, there, supplier_id in found:
        keeper = town.actor(codes[supplier_id], Role.STOREKEEPER)
        write_off(session, key, there, cause=f"expired:{key}", by=keeper, now=now)


def _oldest_lots(
    session: Session, product_id: int, grade: str, wanted: int, day: date
) -> dict[int, int]:
    """So much out of as many lots as it takes, those that expire first before the others."""
    free: dict[tuple[date, int], int] = defaultdict(int)
    for each in candidates(session, [product_id], on_day=day):
        if each.grade.value == grade:
            free[each.best_before, each.lot_id] += each.free
    inputs: dict[int, int] = {}
    for (_, lot_id), there in sorted(free.items()):
        take = min(there, wanted - sum(inputs.values()))
        if take > 0:
            inputs[lot_id] = take
    return inputs

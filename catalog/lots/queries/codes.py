"""From what somebody read off a bag to its lot: forgiving, never guessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots import rules
from catalog.lots.models import Lot
from catalog.lots.models.labels import LabelRun
from catalog.lots.queries.stock import BROUGHT
from catalog.products.models import Pack
from catalog.suppliers.models import Supplier
from kernel.codes import code_closes, fold_code, one_slip_away
from kernel.errors import Missing, Text
from kernel.periods import business_day
from kernel.text import plain_number


@dataclass(frozen=True, slots=True)
class Bag:
    """One bag of a lot, as its label says."""

    code: str
    serial: int
    pack: Pack
    labelled_on: date


def find_code(session: Session, typed: str) -> tuple[Lot, Bag | None]:
    """By the code of a bag or lot, or by the lot's key; or Missing. The lot has its product and
    its supplier with organisation. Full-width, lower case, lost hyphens, O for 0 are forgiven."""
    exact = plain_number(typed).upper()
    folded = fold_code(typed)
    for codes in ([exact], rules.lot_codes(folded)):
        lots = _lots(session, codes) if codes and codes[0] else []
        if len(lots) == 1:
            return lots[0], None
    found = _bag(session, folded)
    if found is None:
        raise Missing(Text("There is no lot with this code. Please check each character."))
    return found


def nearest_code(session: Session, typed: str) -> str | None:
    """The one code that exists and is a single wrong or swapped character away. Two such codes,
    or a code whose own check character is right, suggest nothing."""
    folded = fold_code(typed)
    if not 20 <= len(folded) <= 44 or code_closes(folded) or rules.lot_codes(folded):
        return None
    near: dict[str, list[str]] = {}
    bags: list[tuple[str, str]] = []
    for each in one_slip_away(folded):
        for code in rules.lot_codes(each):
            near.setdefault(code, [])
        parts = rules.bag_parts(each)
        bags += [(each, code) for code in rules.lot_codes(parts[0])] if parts else []
    lots = {lot.code: lot for lot in _lots(session, [*near, *(code for _, code in bags)])}
    found = {code for code in near if code in lots}
    wanted = [(each, lots[code]) for each, code in bags if code in lots]
    if wanted:
        runs = _runs(session, [lot.id for _, lot in wanted])
        found |= {
            bag.code for each, lot in wanted if (bag := _labelled(runs, lot, each)) is not None
        }
    return found.pop() if len(found) == 1 else None


def _lots(session: Session, codes: Sequence[str]) -> list[Lot]:
    return list(
        session.scalars(
            sa.select(Lot)
            .options(
                joinedload(Lot.product),
                joinedload(Lot.supplier).joinedload(Supplier.organisation),
            )
            .where(sa.or_(Lot.code.in_(codes), Lot.trace_key.in_(codes)), BROUGHT)
        )
    )


def _bag(session: Session, folded: str) -> tuple[Lot, Bag] | None:
    parts = rules.bag_parts(folded)
    lots = _lots(session, rules.lot_codes(parts[0])) if parts else []
    if len(lots) != 1:
        return None
    bag = _labelled(_runs(session, [lots[0].id]), lots[0], folded)
    return (lots[0], bag) if bag else None


def _runs(session: Session, lot_ids: Sequence[int]) -> list[LabelRun]:
    return list(
        session.scalars(
            sa.select(LabelRun)
            .where(LabelRun.lot_id.in_(lot_ids))
            .options(joinedload(LabelRun.pack), joinedload(LabelRun.lot))
        )
    )


def _labelled(runs: Sequence[LabelRun], lot: Lot, folded: str) -> Bag | None:
    """The bag, if a label with exactly this code was ever made."""
    parts = rules.bag_parts(folded)
    assert parts is not None
    for run in runs:
        if run.lot_id == lot.id and run.first_serial <= parts[1] <= run.last_serial:
            code = run.code_of(parts[1])
            if fold_code(code) == folded:
                return Bag(code, parts[1], run.pack, business_day(run.made_at))
    return None

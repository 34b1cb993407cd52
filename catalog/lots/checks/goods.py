"""What must always be true of lots, their parts, their moves and their papers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import (
    ConformityCertificate,
    Contribution,
    Lot,
    MoveKind,
    Processing,
    ProcessingInput,
    StockMove,
)
from catalog.lots.models.labels import LabelRun
from catalog.lots.queries.stock import FROM_THE_TOP, MADE
from kernel.checks import Check, Difference, Findings, rows_of, totals
from kernel.db import sum_money, sum_whole
from kernel.errors import Text


def _moves_are_what_lies_there(session: Session) -> Findings:
    """A part was brought by its first move, whatever came after."""
    firsts = sa.select(sa.func.min(StockMove.id)).group_by(StockMove.contribution_id)
    first = sa.case((StockMove.id.in_(firsts.scalar_subquery()), StockMove.quantity), else_=0)
    moved, brought = sum_whole(StockMove.quantity), sum_whole(first)
    rows = session.execute(
        sa.select(Contribution.id, Contribution.on_hand, Contribution.quantity, moved, brought)
        .outerjoin(StockMove, StockMove.contribution_id == Contribution.id)
        .group_by(Contribution.id)
        .having(sa.or_(Contribution.on_hand != moved, Contribution.quantity != brought))
        .order_by(Contribution.id)
    )
    for key, on_hand, quantity, by_moves, by_intake in rows:
        if on_hand != by_moves:
            yield Difference(
                f"contribution:{key}",
                Text(
                    "on hand %(on_hand)s, its moves say %(moves)s", on_hand=on_hand, moves=by_moves
                ),
            )
        if quantity != by_intake:
            yield Difference(
                f"contribution:{key}",
                Text(
                    "brought %(brought)s, its moves say %(moves)s",
                    brought=quantity,
                    moves=by_intake,
                ),
            )
    return totals(session, sum_whole(Contribution.on_hand), sum_whole(StockMove.quantity))


def _reserved_is_there(session: Session) -> Iterator[Difference]:
    rows = session.execute(
        sa.select(Contribution.id, Contribution.reserved, Contribution.on_hand)
        .where(sa.or_(Contribution.reserved < 0, Contribution.reserved > Contribution.on_hand))
        .order_by(Contribution.id)
    )
    for key, reserved, on_hand in rows:
        yield Difference(
            f"contribution:{key}",
            Text("reserved %(reserved)s of %(on_hand)s", reserved=reserved, on_hand=on_hand),
        )


def _parts_belong_to_their_lot(session: Session) -> Iterator[Difference]:
    rows = session.execute(
        sa.select(Contribution.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Contribution.product_id != Lot.product_id)
        .order_by(Contribution.id)
    )
    for (key,) in rows:
        yield Difference(f"contribution:{key}", Text("names another product than its lot"))
    for key, code in session.execute(sa.select(Lot.id, Lot.code).order_by(Lot.id)):
        if not rules.lot_code_is_whole(code):
            yield Difference(
                f"lot:{key}", Text("the check character of %(code)s is wrong", code=code)
            )


def _processing_balances(session: Session) -> Iterator[Difference]:
    """Inputs = what left their lots; output = what came into its lot (R9)."""
    asked = dict(
        _whole(session, ProcessingInput.processing_id, ProcessingInput.quantity, sa.true())
    )
    rows = session.execute(
        sa.select(
            Processing.id,
            Processing.input_quantity,
            Processing.output_quantity,
            sum_whole(Contribution.quantity),
        )
        .join(MADE, MADE.c.processing_id == Processing.id)
        .outerjoin(Contribution, Contribution.lot_id == MADE.c.lot_id)
        .group_by(Processing.id)
        .order_by(Processing.id)
    ).all()
    left, spent = _what_left(session)
    costs = _output_costs(session)
    for key, put_in, came_out, in_lot in rows:
        for what, said, found in (
            ("input", put_in, asked.get(key, 0)),
            ("input", put_in, left.get(key, 0)),
            ("output", came_out, in_lot),
            ("cost", costs.get(key, 0), spent.get(key, 0)),
        ):
            if said != found:
                yield Difference(
                    f"processing:{key}",
                    Text(
                        "%(what)s %(said)s, its rows say %(found)s",
                        what=what, said=said, found=found,
                    ),
                )  # fmt: skip


def _whole(session: Session, key: object, number: object, chosen: object) -> list[tuple[int, int]]:
    rows = session.execute(sa.select(key, sum_whole(number)).where(chosen).group_by(key))  # type: ignore[call-overload,arg-type]
    return [(int(found), int(total)) for found, total in rows]


def _output_costs(session: Session) -> dict[int, int]:
    rows = session.execute(
        sa.select(Processing.id, sum_money(Contribution.cost))
        .join(MADE, MADE.c.processing_id == Processing.id)
        .join(Contribution, Contribution.lot_id == MADE.c.lot_id)
        .group_by(Processing.id)
    )
    return {key: cost.fen for key, cost in rows}


def _what_left(session: Session) -> tuple[dict[int, int], dict[int, int]]:
    """Processing → base units and fen that left its inputs, computed again move by move."""
    left: dict[int, int] = {}
    spent: dict[int, int] = {}
    rows = session.execute(
        sa.select(
            Contribution.id,
            Contribution.quantity,
            Contribution.cost,
            StockMove.kind,
            StockMove.quantity,
            StockMove.cause,
        )
        .join(StockMove, StockMove.contribution_id == Contribution.id)
        .where(StockMove.kind.in_(FROM_THE_TOP))
        .order_by(Contribution.id, StockMove.id)
    )
    for _, moves in groupby(rows, key=lambda row: row[0]):
        gone = 0
        for _, quantity, cost, kind, moved, cause in moves:
            if kind in (MoveKind.TO_PROCESSING, MoveKind.MOVED_OUT):
                number = int(cause.split(":")[1])
                left[number] = left.get(number, 0) - moved
                carried = rules.cost_from_the_top(cost.fen, quantity, gone, -moved)
                spent[number] = spent.get(number, 0) + carried
            gone -= moved
    return left, spent


def _certificates_agree(session: Session) -> Iterator[Difference]:
    """A lot shows its newest certificate, and each says what its own columns say."""
    newest: dict[int, str] = {}
    for issued in session.scalars(
        sa.select(ConformityCertificate).order_by(ConformityCertificate.id)
    ):
        if issued.contribution_id is None:
            newest[issued.lot_id] = issued.number
        if (issued.content["quantity"], issued.content["basis"]) != (
            issued.quantity,
            issued.basis.value,
        ):
            yield Difference(
                f"certificate:{issued.number}", Text("It says something else than was recorded.")
            )
    for lot_id, shown in session.execute(sa.select(Lot.id, Lot.certificate_no)):
        if lot_id in newest and shown != newest[lot_id]:
            yield Difference(f"lot:{lot_id}", Text("It does not show its newest certificate."))


def _bags_have_one_label_run(session: Session) -> Iterator[Difference]:
    """Numbers of a lot's bags are taken once and without gaps."""
    runs = session.execute(
        sa.select(LabelRun.number, LabelRun.lot_id, LabelRun.first_serial, LabelRun.count).order_by(
            LabelRun.lot_id, LabelRun.first_serial
        )
    )
    for _, of_lot in groupby(runs, key=lambda run: run.lot_id):
        expected = 1
        for run in of_lot:
            if run.first_serial != expected:
                yield Difference(
                    f"label_run:{run.number}",
                    Text(
                        "begins with bag %(first)s, not with %(expected)s",
                        first=run.first_serial,
                        expected=expected,
                    ),
                )
            expected = run.first_serial + run.count


GOODS_CHECKS = [
    Check(
        "lots.moves",
        Text("What lies in the store is the sum of its moves"),
        _moves_are_what_lies_there,
        rows_of(Contribution, StockMove),
    ),
    Check(
        "lots.reserved",
        Text("Nothing is reserved that is not there"),
        _reserved_is_there,
        rows_of(Contribution),
    ),
    Check(
        "lots.parts",
        Text("Every part belongs to its lot, every lot code is whole"),
        _parts_belong_to_their_lot,
        rows_of(Contribution, Lot),
    ),
    Check(
        "lots.certificates",
        Text("Lots show their newest certificate of conformity"),
        _certificates_agree,
        rows_of(ConformityCertificate),
    ),
    Check(
        "lots.processing",
        Text("What went into processing came out with its households and costs"),
        _processing_balances,
        rows_of(Processing),
    ),
    Check(
        "lots.bags",
        Text("Every bag's number is on one run of labels"),
        _bags_have_one_label_run,
        rows_of(LabelRun),
    ),
]

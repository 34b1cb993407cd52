"""Labels for a lot's bags are made, made again, and their codes are opened."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot, LotState
from catalog.lots.models.labels import LabelLayout, LabelPrint, LabelRun, TraceScan
from catalog.lots.queries.labels import labelled
from catalog.lots.rules import MOST_BAGS
from catalog.products.models import Pack
from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code
from kernel.db import get_or_missing, stamp, sum_whole
from kernel.errors import Invalid, Refusal, Text
from kernel.numbering import next_number
from kernel.text import tidy

MOST_LABELS_AT_ONCE = 500
# Labels tear and smear: a tenth more than what came in can be labelled.
SPARE_TENTHS = 11
# The same page opened again at once is a reload, not another look at the bag.
SAME_LOOK = timedelta(seconds=10)


def print_labels(
    session: Session,
    lot_id: int,
    *,
    pack_id: int,
    count: int,
    layout: LabelLayout,
    by: Actor,
    now: datetime,
) -> LabelPrint:
    """So many bags of a lot get numbers of their own. No more than what came in can fill."""
    lot = get_or_missing(session, Lot, lot_id, lock=True)
    pack = session.get(Pack, pack_id)
    if pack is None or (pack.product_id, pack.grade) != (lot.product_id, lot.grade):
        raise Invalid({"pack": Text("Choose a pack of this product and grade.")})
    if lot.state in (LotState.QUARANTINE, LotState.CLOSED, LotState.EXPECTED):
        raise Refusal("No labels are made for a lot that is “%(state)s”.", state=lot.state)
    last, content = labelled(session, lot_id)
    came_in = session.scalar(
        sa.select(sum_whole(Contribution.quantity)).where(Contribution.lot_id == lot_id)
    )
    room = (int(came_in or 0) * SPARE_TENTHS // 10 - content) // pack.content
    most = max(0, min(room, MOST_LABELS_AT_ONCE, MOST_BAGS - last))
    if not 1 <= count <= most:
        raise Invalid({"count": _how_many(most, room)})
    run = LabelRun(
        number=next_number(session, "BQ", now),
        lot_id=lot_id,
        pack_id=pack_id,
        first_serial=last + 1,
        count=count,
        seal_key=new_code(32),
        **stamp(by, now),
    )
    session.add(run)
    session.flush()
    made = _send_to_printer(session, run, run.first_serial, run.last_serial, layout, "", by, now)
    audit.note(session, "print_labels", f"label_run:{run.id}", by=by, now=now, count=count)
    return made


def _how_many(most: int, room: int) -> Text:
    if most <= 0:
        return Text("All that came in has labels already. Print damaged ones again below.")
    if most == room:
        return Text("What came in fills at most %(most)s more of these.", most=most)
    return Text("Enter a whole number from %(least)s to %(most)s.", least=1, most=most)


def reprint_labels(
    session: Session,
    run_id: int,
    *,
    first: int,
    last: int,
    layout: LabelLayout,
    reason: str,
    by: Actor,
    now: datetime,
) -> LabelPrint:
    """The same bags' labels again, marked as printed again, with a reason."""
    run = get_or_missing(session, LabelRun, run_id, lock=True)
    reason = tidy(reason)[:200]
    errors = {}
    if not reason:
        errors["reason"] = Text("Say why.")
    if not run.first_serial <= first <= last <= run.last_serial:
        errors["first"] = Text(
            "Enter bags from %(first)s to %(last)s, the lower number first.",
            first=run.first_serial,
            last=run.last_serial,
        )
    if errors:
        raise Invalid(errors)
    made = _send_to_printer(session, run, first, last, layout, reason, by, now)
    audit.note(session, "reprint_labels", f"label_run:{run.id}", by=by, now=now, reason=reason)
    return made


def _send_to_printer(
    session: Session,
    run: LabelRun,
    first: int,
    last: int,
    layout: LabelLayout,
    reason: str,
    by: Actor,
    now: datetime,
) -> LabelPrint:
    copies = session.scalar(
        sa.select(sa.func.count()).select_from(LabelPrint).where(LabelPrint.run_id == run.id)
    )
    made = LabelPrint(
        run_id=run.id,
        copy=int(copies or 0) + 1,
        first_serial=first,
        last_serial=last,
        layout=layout,
        reason=reason,
        **stamp(by, now),
    )
    session.add(made)
    session.flush()
    return made


def note_scan(
    session: Session, lot_id: int, serial: int | None, *, lang: str, now: datetime
) -> bool:
    """A code was opened. Nothing personal is kept, so a look within seconds of another at the
    same code counts as the same; says whether it counted."""
    same = session.scalar(
        sa.select(TraceScan.id)
        .where(
            TraceScan.lot_id == lot_id,
            TraceScan.serial == serial if serial is not None else TraceScan.serial.is_(None),
            TraceScan.at > now - SAME_LOOK,
        )
        .limit(1)
    )
    if same is None:
        session.add(TraceScan(lot_id=lot_id, serial=serial, at=now, lang=lang[:5]))
    return same is None

"""Harvests that fall short or do not come: cooperative and canteens are told, once per event.

What people were told is a row (`HarvestWarning`); a letter is written only with a new row, so that
running this again, or twice at once, tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots.models import Lot
from catalog.lots.models.harvests import Harvest
from catalog.lots.queries.harvests import harvests_of
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import WORKER
from kernel.db import get_or_missing, stamp
from kernel.errors import Named, Text
from kernel.mail import send_later
from kernel.people import User
from kernel.periods import business_day
from kernel.speech import say_in
from kernel.staff import people_to_tell
from orders.agencies.models import HarvestWarning, HarvestWorry
from orders.agencies.operations.telling import SUPPLIER_SIDE, UNIT_SIDE
from orders.agencies.queries.harvests import (
    Known,
    lines_in_store,
    lots_of,
    suppliers_with_harvests,
    warnings_known,
)
from orders.agencies.rules.harvests import is_news, is_overdue
from orders.sales.models import Order, OrderLine
from orders.sales.operations.choosing import quantity_words
from orders.sales.queries.promises import Promise, promises_of


@dataclass(frozen=True, slots=True)
class News:
    """What somebody does not know yet: `quantity` 0 says that it is made good."""

    worry: HarvestWorry
    lot: Lot
    quantity: int
    order: Order | None = None
    line: OrderLine | None = None
    due_on: date | None = None

    @property
    def key(self) -> Known:
        return Known(self.lot.id, self.line.id if self.line else None, self.worry)


def warn_of_harvests(session: Session, *, now: datetime) -> int:
    """Tell what is new of every supplier's harvests; answers how many warnings were written."""
    written = 0
    for supplier_id in suppliers_with_harvests(session):
        # The supplier's row is the lock of what its people were told.
        supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
        written += _warn(session, supplier, now)
    return written


def _warn(session: Session, supplier: Supplier, now: datetime) -> int:
    today = business_day(now)
    harvests = harvests_of(session, supplier.id)
    promises = promises_of(session, supplier.id)
    known = warnings_known(session, supplier.id)
    overdue = {each.lot_id for each in harvests if _overdue(each, today)}
    found = [
        *_of_harvests(harvests, overdue),
        *_of_promises(promises, overdue, today),
    ]
    news = [each for each in found if is_news(known.get(each.key, 0), each.quantity)]
    news += _gone(session, sorted(known.keys() - {each.key for each in found}, key=str))
    by_lot: dict[int, list[News]] = {}
    for each in news:
        by_lot.setdefault(each.lot.id, []).append(each)
    for lot_id, theirs in sorted(by_lot.items()):
        _tell(session, supplier, theirs, now)
        audit.note(
            session, "warn_of_harvest", f"lot:{lot_id}", by=WORKER, now=now, warnings=len(theirs)
        )
    return len(news)


def _overdue(harvest: Harvest, today: date) -> bool:
    lot = harvest.lot
    return harvest.ended_at is None and is_overdue(
        lot.available_from, lot.best_before,
        expected=harvest.expected, came=harvest.came, today=today,
    )  # fmt: skip


def _of_harvests(harvests: Sequence[Harvest], overdue: set[int]) -> list[News]:
    return [
        News(
            HarvestWorry.OVERDUE,
            each.lot,
            each.expected - each.came if each.lot_id in overdue else 0,
        )
        for each in harvests
    ]


def _of_promises(promises: Sequence[Promise], overdue: set[int], today: date) -> list[News]:
    found = []
    for each in promises:
        late = each.lot.id in overdue
        of_line = {"order": each.order, "line": each.line, "due_on": each.due_on}
        for worry, quantity in (
            (HarvestWorry.SHORT, each.short),
            (HarvestWorry.NEAR, each.quantity if each.is_late(today) else 0),
            (HarvestWorry.OVERDUE, each.quantity if late else 0),
        ):
            found.append(News(worry, each.lot, quantity, **of_line))  # type: ignore[arg-type]
    return found


def _gone(session: Session, gone: Sequence[Known]) -> list[News]:
    """What worried people and is no worry any more: the harvest is over, or the line is promised of
    none because its goods are in the store (its buyer hears that), or because it was given back."""
    lots = lots_of(session, [key.lot_id for key in gone])
    lines = lines_in_store(session, [key.line_id for key in gone if key.line_id])
    found = []
    for key in gone:
        if key.line_id is None:
            found.append(News(key.worry, lots[key.lot_id], 0))
        elif key.line_id in lines:
            found.append(News(key.worry, lots[key.lot_id], 0, *lines[key.line_id]))
        else:
            line = session.get_one(OrderLine, key.line_id)
            found.append(News(key.worry, lots[key.lot_id], 0, None, line))
    return found


def _tell(session: Session, supplier: Supplier, news: Sequence[News], now: datetime) -> None:
    """One letter to each of the cooperative's people, and one per line to its canteen's."""
    rows = [
        HarvestWarning(
            lot_id=each.lot.id, line_id=each.key.line_id, worry=each.worry,
            quantity=each.quantity, **stamp(WORKER, now),
        )
        for each in news
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()  # the letters' keys name them
    lot = news[0].lot
    name = Named(lot.product.name_zh, lot.product.name_en)
    said = [words for each in news if (words := _to_supplier(each)) is not None]
    if said:
        keepers = people_to_tell(session, [supplier.organisation_id], SUPPLIER_SIDE, now)
        subject = Text("Harvest %(name)s %(lot)s needs you", name=name, lot=lot.code)
        end = Text(
            "See the page of the harvest: take another lot, agree on another day, or propose to "
            "take it off the order."
        )
        _write(session, keepers, subject, [*said, end], f"harvest:{rows[0].id}", now)
    of_line: dict[int, list[tuple[HarvestWarning, News]]] = {}
    for row, each in zip(rows, news, strict=True):
        if each.order is not None and each.worry is not HarvestWorry.NEAR:
            assert each.line is not None
            of_line.setdefault(each.line.id, []).append((row, each))
    for told in of_line.values():
        order, line = told[0][1].order, told[0][1].line
        assert order is not None
        assert order.organisation_id is not None
        assert line is not None
        people = people_to_tell(session, [order.organisation_id], UNIT_SIDE, now)
        subject = Text(
            "Order %(number)s: %(name)s of the coming harvest",
            number=order.number, name=Named(line.name_zh, line.name_en),
        )  # fmt: skip
        body = [_to_unit(each) for _, each in told if each.quantity] or [_to_unit(told[0][1])]
        _write(session, people, subject, body, f"harvest:{told[0][0].id}", now)


def _write(
    session: Session,
    people: Sequence[User],
    subject: Text,
    body: Sequence[Text],
    key: str,
    now: datetime,
) -> None:
    for user in people:
        send_later(
            session,
            to=user.email,
            subject=say_in(subject, user.locale),
            body="\n".join(say_in(each, user.locale) for each in body),
            key=f"{key}:{user.id}",
            now=now,
        )


def _to_supplier(news: News) -> Text | None:
    """None: it is made good, and whoever did it knows."""
    if not news.quantity:
        return None
    much = quantity_words(news.quantity, news.lot.product.base_unit)
    number = news.order.number if news.order else ""
    if news.order is None:
        return Text(
            "%(much)s were expected until %(day)s and have not come.",
            much=much, day=news.lot.best_before,
        )  # fmt: skip
    if news.worry is HarvestWorry.SHORT:
        return Text("Order %(number)s: %(much)s are short.", number=number, much=much)
    if news.worry is HarvestWorry.NEAR:
        return Text(
            "Order %(number)s: %(much)s are due on %(day)s, and nothing of it is in the store.",
            number=number, much=much, day=news.due_on,
        )  # fmt: skip
    return Text("Order %(number)s: %(much)s were promised of it.", number=number, much=much)


def _to_unit(news: News) -> Text:
    if not news.quantity:
        return Text("What we wrote to you about is made good: everything can come as ordered.")
    much = quantity_words(news.quantity, news.lot.product.base_unit)
    if news.worry is HarvestWorry.SHORT:
        return Text(
            "The harvest falls short: %(much)s of what you ordered cannot be expected any more. "
            "The cooperative looks for other goods, proposes another day, or asks you to do "
            "without; nothing changes without you.",
            much=much,
        )
    return Text(
        "The harvest is late: %(much)s of what you ordered were to come of it. The cooperative "
        "tells you when it is sure of a day.",
        much=much,
    )

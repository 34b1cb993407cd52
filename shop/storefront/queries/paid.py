"""What buyers really paid for goods of a lot, and what it became: the newest settled line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.queries import Voice, consented_voices
from catalog.lots.models import Contribution
from catalog.lots.queries.stock import IN_LOT
from catalog.products.models import Pack, Shelf
from kernel.db import sum_money
from kernel.money import Money, total
from kernel.sharing import half_up, share_out
from orders.sales.models import Allocation, OrderLine
from orders.shares.models import PartKind, SplitPart
from orders.shares.rules import split
from shop.storefront import dividing
from shop.storefront.queries.figures import may_be_published


@dataclass(frozen=True, slots=True)
class Paid:
    """The price of one pack as somebody paid it, and what it became. Never a whole order: sums of
    a lot with few households would say what each of them earned."""

    pack_zh: str
    pack_en: str
    content: int
    price: Money
    settled_on: date
    groups: tuple[dividing.Group, ...]
    of_households: dict[PartKind, Money]

    @property
    def to_households(self) -> Money:
        return total(self.of_households.values())


def paid_of(session: Session, lot_id: int, *, pack_id: int | None = None) -> Paid | None:
    """From the newest settled line with goods of this lot, of this pack if there is one; lines
    with money back and of units that may not be named are left out. Two queries."""
    of_lot = sa.select(Allocation.line_id).where(
        Allocation.lot_id == lot_id, Allocation.quantity > Allocation.released
    )
    return _newest_paid(session, OrderLine.id.in_(of_lot), pack_id)


def paid_for_product(session: Session, product_id: int) -> Paid | None:
    """The same of a citizens' pack of this product, whatever lot it came from. Two queries."""
    return _newest_paid(
        session,
        sa.and_(OrderLine.product_id == product_id, Pack.shelf == Shelf.CITIZENS),
        None,
    )


def _newest_paid(
    session: Session, lines: sa.ColumnElement[bool], pack_id: int | None
) -> Paid | None:
    key = sa.literal("line:") + sa.cast(OrderLine.id, sa.String)
    newest = sa.func.max(SplitPart.on)
    row = session.execute(
        sa.select(OrderLine, Pack.content, newest)
        .join(Pack, Pack.id == OrderLine.pack_id)
        .join(SplitPart, SplitPart.line == key)
        .where(lines, may_be_published())
        .group_by(OrderLine.id, Pack.id)
        .having(sa.func.sum(SplitPart.amount) == OrderLine.amount)
        .order_by(
            sa.case((OrderLine.pack_id == (pack_id or 0), 0), else_=1),
            newest.desc(), OrderLine.id.desc(),
        )
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        return None
    line, content, on = row
    price = Money(half_up(line.amount.fen * content, line.quantity))
    parts = _of_one_pack(session, line, price)
    if not parts:
        return None
    own = {PartKind(each.kind): each.amount for each in parts if split.reaches_households(each)}
    groups = tuple(dividing.grouped(parts))
    return Paid(line.pack_zh, line.pack_en, content, price, on, groups, own)


def _of_one_pack(session: Session, line: OrderLine, price: Money) -> list[split.Part]:
    reaches = SplitPart.household_id.is_not(None)
    rows = session.execute(
        sa.select(SplitPart.kind, reaches, sum_money(SplitPart.amount))
        .where(SplitPart.line == f"line:{line.id}")
        .group_by(SplitPart.kind, reaches)
        .order_by(SplitPart.kind, reaches)
    ).all()
    if any(amount.fen < 0 for _, _, amount in rows):
        return []
    shares = share_out(price.fen, [amount.fen for _, _, amount in rows])
    return [
        split.Part(kind.value, Money(share), household_id=1 if of_household else None)
        for (kind, of_household, _), share in zip(rows, shares, strict=True)
    ]


def voices_of_lot(session: Session, lot_id: int) -> list[Voice]:
    """What households with goods in this lot let us say of them."""
    ids = session.scalars(
        sa.select(Contribution.household_id)
        .where(Contribution.lot_id == lot_id, Contribution.household_id.is_not(None), IN_LOT)
        .distinct()
    ).all()
    return consented_voices(session, [each for each in ids if each is not None])

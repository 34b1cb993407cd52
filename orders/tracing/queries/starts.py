"""Where a walk begins, and whose goods somebody may follow. Scope comes first: what lies outside is
not there."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.rules import Viewer
from catalog.lots.models import Contribution, Lot, WeighSlip
from catalog.lots.queries import find_code
from catalog.lots.queries.stock import IN_LOT
from catalog.suppliers.models import Supplier
from kernel.errors import Missing, Text
from kernel.labels import Labelled
from kernel.people import Organisation
from kernel.regions import within
from kernel.text import plain_number
from orders.sales.models import Allocation, Order, OrderLine


class StartKind(Labelled):
    """What a walk began at."""

    LOT = "lot"
    BAG = "bag"
    ORDER = "order"
    HOUSEHOLD = "household"
    SLIP = "slip"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose goods somebody may follow: one supplier's, or those of suppliers in these regions."""

    viewer: Viewer
    supplier_id: int | None = None
    prefixes: tuple[str, ...] = ()

    def reads(self, lot: Lot) -> Viewer:
        """A supplier knows its own producers; of another's lots it reads what a buyer would."""
        foreign = self.supplier_id is not None and lot.supplier_id != self.supplier_id
        return Viewer.BUYER if foreign else self.viewer

    def over_lots(self) -> sa.ColumnElement[bool]:
        if self.supplier_id is not None:
            return Lot.supplier_id == self.supplier_id
        if not self.prefixes:
            return sa.false()
        return Lot.supplier_id.in_(
            sa.select(Supplier.id)
            .join(Organisation, Organisation.id == Supplier.organisation_id)
            .where(within(Organisation.region_code, list(self.prefixes)))
        )


@dataclass(frozen=True, slots=True)
class Start:
    """What was asked for and the lots it leads to; `household_id` keeps to one household."""

    kind: StartKind
    code: str
    lot_ids: tuple[int, ...]
    household_id: int | None = None


def start_at(session: Session, typed: str, reach: Reach) -> Start:
    """A lot, bag, order number, slip number or household code inside the reach, or Missing."""
    code = plain_number(typed).upper()
    for find in (_slip, _order, _household):
        found = find(session, code, reach)
        if found is not None:
            return found
    lot, bag = find_code(session, typed)
    if not session.scalar(sa.select(Lot.id).where(Lot.id == lot.id, reach.over_lots())):
        raise Missing(Text("There is nothing with this code, or it is not yours."))
    if bag is not None:
        return Start(StartKind.BAG, bag.code, (lot.id,))
    return Start(StartKind.LOT, lot.code, (lot.id,))


def _slip(session: Session, code: str, reach: Reach) -> Start | None:
    row = session.execute(
        sa.select(Contribution.lot_id, WeighSlip.household_id)
        .join(Contribution, Contribution.id == WeighSlip.contribution_id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(WeighSlip.number == code, reach.over_lots())
    ).first()
    return Start(StartKind.SLIP, code, (row.lot_id,), row.household_id) if row else None


def _order(session: Session, code: str, reach: Reach) -> Start | None:
    lots = session.scalars(
        sa.select(Allocation.lot_id)
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Lot, Lot.id == Allocation.lot_id)
        .where(
            sa.or_(Order.number == code, Order.code == code),
            Allocation.quantity > Allocation.released,
            reach.over_lots(),
        )
        .distinct()
        .order_by(Allocation.lot_id)
    ).all()
    return Start(StartKind.ORDER, code, tuple(lots)) if lots else None


def _household(session: Session, code: str, reach: Reach) -> Start | None:
    rows = session.execute(
        sa.select(Contribution.lot_id, Household.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Household.code == code, IN_LOT, reach.over_lots())
        .distinct()
        .order_by(Contribution.lot_id)
    ).all()
    if not rows:
        return None
    return Start(StartKind.HOUSEHOLD, code, tuple(row.lot_id for row in rows), rows[0].id)

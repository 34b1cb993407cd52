"""From any code, back to slips, plots, households and inputs, forward to outputs, orders, buyers.

A walk begins at lots. Whose names are written how is decided by the one matrix of the households'
room before anything leaves here; who may begin at which lots is the scope.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households import rules
from catalog.households.models import Household, Plot
from catalog.households.queries import short_name
from catalog.households.rules import Detail, Viewer
from catalog.lots.models import Contribution, Lot, LotState, WeighSlip
from catalog.lots.queries import Balance, Link, balances, find_code, made_into, made_of
from catalog.suppliers.models import Supplier
from kernel.codes import mask_name
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.labels import Labelled
from kernel.people import Organisation
from kernel.quantities import BaseUnit
from kernel.regions import Region, within
from kernel.text import plain_number
from orders.agencies.models import Acceptance, AcceptanceLine, AcceptanceState
from orders.sales.models import (
    Allocation,
    BuyerKind,
    Order,
    OrderLine,
    OrderState,
    Shipment,
    ShipmentLine,
)


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
        .where(Household.code == code, reach.over_lots())
        .distinct()
        .order_by(Contribution.lot_id)
    ).all()
    if not rows:
        return None
    return Start(StartKind.HOUSEHOLD, code, tuple(row.lot_id for row in rows), rows[0].id)


@dataclass(frozen=True, slots=True)
class LotOnWay:
    """One lot of the walk. `depth` counts steps of processing: below 0 towards the fields."""

    id: int
    code: str
    product_zh: str
    product_en: str
    unit: BaseUnit
    state: LotState
    harvested_on: date
    certificate_no: str
    depth: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class Origin:
    """One household's part of a lot, with its slips and plots, as the reader may see it."""

    lot_id: int
    household_code: str
    household: str
    village: str
    group_no: int | None
    quantity: int
    slips: tuple[str, ...]
    plots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Going:
    """So much of a lot that went, or will go, to one line of an order."""

    lot_id: int
    order_id: int
    line_id: int
    order_number: str
    buyer: str
    buyer_kind: BuyerKind
    order_state: OrderState
    name_zh: str
    name_en: str
    quantity: int
    shipped: int
    shipments: tuple[str, ...]
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    start: Start
    lots: tuple[LotOnWay, ...]
    steps_back: tuple[Link, ...]
    steps_on: tuple[Link, ...]
    origins: tuple[Origin, ...]
    goings: tuple[Going, ...]

    def lot(self, lot_id: int) -> LotOnWay:
        return next(each for each in self.lots if each.id == lot_id)

    @property
    def differences(self) -> int:
        return sum(each.balance.difference != 0 for each in self.lots)


def walk(session: Session, start: Start, reach: Reach) -> Walk:
    """Both ways from the start; a fixed number of queries beside one for each step of processing.

    Backward names every household with goods in the lots or in what they were made of; forward
    every line that took some of the lots or of what was made of them.
    """
    back, on = made_of(session, start.lot_ids), made_into(session, start.lot_ids)
    depths = dict.fromkeys(start.lot_ids, 0)
    depths |= {link.lot_id: -link.depth for link in back if link.lot_id not in depths}
    depths |= {link.lot_id: link.depth for link in on if link.lot_id not in depths}
    behind = [*start.lot_ids, *(link.lot_id for link in back)]
    ahead = [*start.lot_ids, *(link.lot_id for link in on)]
    return Walk(
        start=start,
        lots=_lots(session, depths),
        steps_back=back,
        steps_on=on,
        origins=origins(session, behind, reach, household_id=start.household_id),
        goings=goings(session, ahead, household_id=start.household_id),
    )


def _lots(session: Session, depths: dict[int, int]) -> tuple[LotOnWay, ...]:
    moved = balances(session, list(depths))
    found = session.scalars(
        sa.select(Lot).where(Lot.id.in_(depths)).options(joinedload(Lot.product))
    )
    rows = [
        LotOnWay(
            lot.id, lot.code, lot.product.name_zh, lot.product.name_en, lot.product.base_unit,
            lot.state, lot.harvested_on, lot.certificate_no, depths[lot.id], moved[lot.id],
        )
        for lot in found
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (row.depth, row.id)))


def origins(
    session: Session,
    lot_ids: Collection[int],
    reach: Reach,
    *,
    household_id: int | None = None,
) -> tuple[Origin, ...]:
    """Households behind these lots with slips and plots; three queries."""
    only = Contribution.household_id == household_id if household_id is not None else sa.true()
    parts = session.execute(
        sa.select(Contribution, Household, Region.name, Lot)
        .join(Lot, Lot.id == Contribution.lot_id)
        .options(joinedload(Lot.product))
        .outerjoin(Household, Household.id == Contribution.household_id)
        .outerjoin(Region, Region.code == Household.region_code)
        .where(Contribution.lot_id.in_(lot_ids), only)
        .order_by(Contribution.lot_id, Contribution.id)
    ).all()
    slips: dict[int, list[str]] = {}
    for number, contribution_id in session.execute(
        sa.select(WeighSlip.number, WeighSlip.contribution_id)
        .join(Contribution, Contribution.id == WeighSlip.contribution_id)
        .where(Contribution.lot_id.in_(lot_ids))
        .order_by(WeighSlip.id)
    ):
        slips.setdefault(int(contribution_id or 0), []).append(number)
    plots = _plots(session, [home.id for _, home, _, _ in parts if home is not None])
    return tuple(
        _origin(part, home, village, lot, slips, plots, reach.reads(lot))
        for part, home, village, lot in parts
    )


def _plots(session: Session, household_ids: Sequence[int]) -> dict[tuple[int, str, int], list[str]]:
    found: dict[tuple[int, str, int], list[str]] = {}
    for plot in session.scalars(
        sa.select(Plot).where(Plot.household_id.in_(set(household_ids))).order_by(Plot.id)
    ):
        found.setdefault((plot.household_id, plot.crop, plot.year), []).append(plot.place)
    return found


def _origin(
    part: Contribution,
    home: Household | None,
    village: str | None,
    lot: Lot,
    slips: dict[int, list[str]],
    plots: dict[tuple[int, str, int], list[str]],
    viewer: Viewer,
) -> Origin:
    numbers = tuple(slips.get(part.id, ()))
    if home is None:
        return Origin(lot.id, "", "", "", None, part.quantity, numbers, ())
    place, group_no = rules.shown_place(short_name(village or ""), home.group_no, viewer)
    fields = plots.get((home.id, lot.product.code, lot.harvested_on.year), [])
    return Origin(
        lot_id=lot.id,
        household_code=rules.shown(Detail.CODE, home.code, viewer),
        household=rules.shown(Detail.NAME, home.name, viewer),
        village=place,
        group_no=group_no,
        quantity=part.quantity,
        slips=numbers,
        # Where a field lies says where the house stands: no nearer than the reader may know.
        plots=tuple(fields) if group_no is not None else (),
    )


def goings(
    session: Session, lot_ids: Collection[int], *, household_id: int | None = None
) -> tuple[Going, ...]:
    """Lines that took, or hold, some of these lots; citizens' names masked. Three queries."""
    only = Allocation.household_id == household_id if household_id is not None else sa.true()
    taken = (
        sa.select(
            Allocation.lot_id,
            Allocation.line_id,
            sum_whole(Allocation.quantity - Allocation.released).label("held"),
            sum_whole(Allocation.shipped).label("shipped"),
        )
        .where(Allocation.lot_id.in_(lot_ids), Allocation.quantity > Allocation.released, only)
        .group_by(Allocation.lot_id, Allocation.line_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(taken.c.lot_id, OrderLine, taken.c.held, taken.c.shipped)
        .join(OrderLine, OrderLine.id == taken.c.line_id)
        .options(joinedload(OrderLine.order).joinedload(Order.organisation))
        .order_by(taken.c.lot_id, OrderLine.id)
    ).all()
    line_ids = [line.id for _, line, _, _ in rows]
    shipments = _shipments(session, line_ids, lot_ids)
    accepted = _accepted(session, line_ids)
    return tuple(
        Going(
            lot_id=lot_id,
            order_id=line.order_id,
            line_id=line.id,
            order_number=line.order.number,
            buyer=buyer_name(line.order),
            buyer_kind=line.order.buyer_kind,
            order_state=line.order.state,
            name_zh=line.name_zh,
            name_en=line.name_en,
            quantity=int(quantity),
            shipped=int(shipped),
            shipments=tuple(shipments.get((lot_id, line.id), ())),
            accepted=tuple(accepted.get(line.id, ())),
        )
        for lot_id, line, quantity, shipped in rows
    )


def buyer_name(order: Order) -> str:
    """A unit by its name, a citizen with the family name only."""
    return order.organisation.short_name if order.organisation else mask_name(order.recipient)


def _shipments(
    session: Session, line_ids: Sequence[int], lot_ids: Collection[int]
) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = {}
    for lot_id, line_id, number in session.execute(
        sa.select(Allocation.lot_id, Allocation.line_id, Shipment.number)
        .join(ShipmentLine, ShipmentLine.allocation_id == Allocation.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Allocation.line_id.in_(line_ids), Allocation.lot_id.in_(lot_ids))
        .distinct()
        .order_by(Shipment.number)
    ):
        found.setdefault((lot_id, line_id), []).append(number)
    return found


def _accepted(session: Session, line_ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for line_id, number in session.execute(
        sa.select(AcceptanceLine.line_id, Acceptance.number)
        .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .where(AcceptanceLine.line_id.in_(line_ids), Acceptance.state == AcceptanceState.SIGNED)
        .order_by(Acceptance.number)
    ):
        found.setdefault(line_id, []).append(number)
    return found

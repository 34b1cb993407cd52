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
from catalog.lots.queries import Balance, Link, balances, made_into, made_of
from catalog.lots.queries.stock import IN_LOT
from kernel.codes import mask_name
from kernel.db import sum_whole
from kernel.quantities import BaseUnit
from kernel.regions import Region
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
from orders.tracing.queries.starts import Reach, Start


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
        .where(Contribution.lot_id.in_(lot_ids), IN_LOT, only)
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

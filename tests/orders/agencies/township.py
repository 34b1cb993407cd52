"""Units, filings and signed rows written straight down, for tests of what figures say of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime

from kernel.actors import COMMAND
from kernel.db import stamp
from kernel.money import ZERO, parse_money
from kernel.people import Organisation, OrganisationKind
from orders.agencies.models import (
    Basis,
    BulkOrder,
    CanteenType,
    Filing,
    FilingState,
    Policy,
    Purpose,
    QuotaMonth,
    QuotaMovement,
    Stage,
    Unit,
    UnitKind,
    YearRule,
)
from orders.agencies.rules.counting import month_of
from orders.sales.models import BuyerKind, Channel, Order, OrderState

QIANJIANG = "500114000000"
SHUISHI = "500114125000"
SHUISHI_BEFORE = "500114255000"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MADE = stamp(COMMAND, NOW)

_serial = itertools.count(1)


def organisation(
    session, name, *, kind=OrganisationKind.UNIT, region=QIANJIANG, parent=None
) -> Organisation:
    made = Organisation(
        name=name,
        short_name=name[-8:],
        kind=kind,
        region_code=region,
        parent_id=parent.id if parent else None,
        **MADE,
    )
    session.add(made)
    session.flush()
    return made


def policy(session, *, year=2026, region=QIANJIANG, filing_to=None) -> Policy:
    made = Policy(
        region_code=region,
        year=year,
        ratio_floor_bp=1000,
        needs_review=True,
        countable_channels=["platform"],
        year_rule=YearRule.BY_COMPLETION,
        freight_counts=False,
        union_share_bp=None,
        filing_from=date(year, 1, 1),
        filing_to=filing_to or date(year, 3, 24),
        approval_threshold=parse_money("50000"),
        tolerance_bp=100,
        annual_cap=None,
        document_no="测试〔2026〕1号",
        **MADE,
    )
    session.add(made)
    session.flush()
    return made


@dataclass
class MadeUnit:
    """A unit with short verbs for what tests do to it."""

    session: object
    unit: Unit
    organisation: Organisation

    @property
    def id(self) -> int:
        return self.unit.id

    def files(self, reserved, *, year=2026, version=1, state=FilingState.EFFECTIVE, on=None):
        amount = parse_money(reserved)
        when = datetime(year, 3, 16, 2, tzinfo=UTC) if on is None else on
        filing = Filing(
            unit_id=self.id,
            year=year,
            version=version,
            state=state,
            canteen_type=self.unit.canteen_type,
            representative_id=self.unit.representative_id,
            base=amount * 10,
            ratio_bp=1000,
            reserved=amount,
            contact="冉某",
            contact_phone="13800000000",
            submitted_at=when,
            confirmed_at=when,
            effective_at=when,
            **MADE,
        )
        self.session.add(filing)
        self.session.flush()
        return filing

    def orders(self, *, stage=Stage.DONE, goods=ZERO) -> BulkOrder:
        serial = next(_serial)
        order = Order(
            number=f"SD2026-{serial:05}",
            code=f"CODE{serial:06}",
            request_key=f"test:{serial}",
            buyer_kind=BuyerKind.UNIT,
            organisation_id=self.organisation.id,
            channel=Channel.PLATFORM,
            state=OrderState.COMPLETED if stage is Stage.DONE else OrderState.TO_SHIP,
            placed_at=NOW,
            goods=goods,
            total=goods,
            recipient="冉某",
            phone="13800000000",
            address="水市镇",
            **MADE,
        )
        self.session.add(order)
        self.session.flush()
        bulk = BulkOrder(
            order_id=order.id,
            unit_id=self.id,
            payer_id=self.organisation.id,
            purpose=Purpose.CANTEEN,
            stage=stage,
            **MADE,
        )
        self.session.add(bulk)
        self.session.flush()
        return bulk

    def moves(
        self,
        basis,
        amount,
        on,
        *,
        year=None,
        purpose=Purpose.CANTEEN,
        channel="platform",
        order=None,
    ):
        """One signed row and its place in the roll-up."""
        of_year = year or on.year
        bulk = order or self.orders()
        money = parse_money(amount)
        self.session.add(
            QuotaMovement(
                unit_id=self.id,
                year=of_year,
                basis=basis,
                purpose=purpose,
                channel=channel,
                order_id=bulk.order_id,
                amount=money,
                on=on,
                cause=f"test:{next(_serial)}",
                **MADE,
            )
        )
        month = month_of(on, of_year)
        found = (
            self.session.query(QuotaMonth)
            .filter_by(unit_id=self.id, year=of_year, month=month, basis=basis, purpose=purpose)
            .one_or_none()
        )
        if found is None:
            found = QuotaMonth(
                unit_id=self.id,
                year=of_year,
                month=month,
                basis=basis,
                purpose=purpose,
                amount=ZERO,
            )
            self.session.add(found)
        found.amount = found.amount + money
        self.session.flush()
        return bulk

    def buys(self, amount, on, **more):
        """Ordered, settled and counted on one day."""
        bulk = self.orders()
        for basis in Basis:
            self.moves(basis, amount, on, order=bulk, **more)
        return bulk


def unit(
    session,
    name,
    *,
    canteen=CanteenType.OWN,
    region=QIANJIANG,
    parent=None,
    system="教育",
    represented_by=None,
) -> MadeUnit:
    owner = organisation(session, name, region=region, parent=parent)
    made = Unit(
        organisation_id=owner.id,
        kind=UnitKind.SCHOOL,
        system=system,
        canteen_type=canteen,
        representative_id=represented_by.id if represented_by else None,
        **MADE,
    )
    session.add(made)
    session.flush()
    return MadeUnit(session, made, owner)

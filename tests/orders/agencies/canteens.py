"""A canteen with its people, a cooperative with goods, and orders at any stage of their road."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import sqlalchemy as sa

from catalog.products.models import Pack, Product, Shelf
from catalog.suppliers.models import Supplier
from kernel.actors import Actor, Role
from kernel.db import stamp
from kernel.money import Money, Price, parse_money
from kernel.people import Organisation, OrganisationKind
from orders.agencies import operations
from orders.agencies.models import (
    Acceptance,
    BulkOrder,
    CanteenType,
    Filing,
    Policy,
    Unit,
    UnitKind,
    YearRule,
)
from orders.agencies.operations import GridLine
from orders.agencies.operations.closing import shipped_by_line
from orders.agencies.queries.acceptance import acceptance_sheet
from orders.agencies.queries.bulk import accepted_of
from orders.payments.models import BankLine, BankStatement
from orders.sales.models import Order, OrderLine, Shipment
from orders.sales.operations import ship_order
from orders.shares.models import BenefitModel
from orders.shares.operations.ruling import publish_rule
from orders.shares.operations.storing import take_in_slips
from tests import makers

COUNTY = "500114000000"
NOW = makers.NOON  # 2026-11-23 12:00 in Shanghai


@dataclass
class Canteen:
    """One school, one cooperative, everyone who works in them, and a shelf with goods."""

    unit: Unit
    body: Organisation
    supplier: Supplier
    coop: Organisation
    department: Organisation
    finance_office: Organisation
    product: Product
    pack: Pack
    buyer: Actor
    approver: Actor
    receiver: Actor
    receiver2: Actor
    finance: Actor
    manager: Actor
    storekeeper: Actor
    accountant: Actor
    clerk: Actor
    district: Actor
    serial: list[int] = field(default_factory=lambda: [0])

    def next(self) -> int:
        self.serial[0] += 1
        return self.serial[0]


def policy(session, *, year=2026, region_code=COUNTY, **given) -> Policy:
    given = {
        "ratio_floor_bp": 1000,
        "filing_from": date(year, 2, 1),
        "filing_to": date(year, 3, 20),
        "document_no": f"黔江财采〔{year}〕3号",
        "year_rule": YearRule.BY_COMPLETION,
        **given,
    }
    return operations.set_policy(
        session, region_code=region_code, year=year, **given, by=makers.SOMEBODY, now=NOW
    )


def unit(session, name="黔江区实验小学", *, department=None, **given) -> Unit:
    body = makers.organisation(
        session,
        name,
        kind=OrganisationKind.UNIT,
        region_code="500114001000",
        parent_id=department.id if department else None,
    )
    given = {
        "kind": UnitKind.SCHOOL,
        "system": "教育",
        "canteen_type": CanteenType.OWN,
        "diners": 1240,
        "contact": "冉老师",
        "contact_phone": "13900000001",
        **given,
    }
    return operations.create_unit(
        session, organisation_id=body.id, **given, by=makers.SOMEBODY, now=NOW
    )


def actor(session, body, role, name) -> Actor:
    return makers.acting(makers.member(session, body, role, name=name), role, body)


def canteen(session, *, nets=(120_000, 80_000), years=(2025, 2026, 2027), policies=None) -> Canteen:
    """`nets`: what each household brought of the one product on the shelf, at 6.00 a kilogram."""
    for year in years:
        policy(session, year=year, **(policies or {}))
    department = makers.organisation(
        session, "黔江区教育委员会", kind=OrganisationKind.GOVERNMENT, region_code=COUNTY
    )
    office = makers.organisation(
        session, "黔江区财政局", kind=OrganisationKind.GOVERNMENT, region_code=COUNTY
    )
    school = unit(session, department=department)
    body = session.get(Organisation, school.organisation_id)
    supplier = makers.supplier(session, "水市镇联合社")
    coop = session.get(Organisation, supplier.organisation_id)
    product, pack = goods(session, supplier, nets=nets)
    return Canteen(
        unit=school,
        body=body,
        supplier=supplier,
        coop=coop,
        department=department,
        finance_office=office,
        product=product,
        pack=pack,
        buyer=actor(session, body, Role.BUYER, "冉采购"),
        approver=actor(session, body, Role.APPROVER, "田审批"),
        receiver=actor(session, body, Role.RECEIVER, "石验收"),
        receiver2=actor(session, body, Role.RECEIVER, "向验收"),
        finance=actor(session, body, Role.FINANCE, "杨财务"),
        manager=actor(session, coop, Role.MANAGER, "张社长"),
        storekeeper=actor(session, coop, Role.STOREKEEPER, "陶库管"),
        accountant=actor(session, coop, Role.ACCOUNTANT, "李会计"),
        clerk=actor(session, department, Role.DEPARTMENT, "周科长"),
        district=actor(session, office, Role.DISTRICT, "吴股长"),
    )


def goods(session, supplier, *, nets=(120_000, 80_000), price=60_000, **given):
    """A product on the canteens' shelf whose households were paid a floor price (model C)."""
    product = makers.product(session, supplier, **given)
    pack = makers.pack(session, product, shelf=Shelf.CANTEENS, unit_price=Price(price))
    makers.products.put_on_sale(session, product.id, by=makers.SOMEBODY, now=NOW)
    publish_rule(
        session,
        product.id,
        model=BenefitModel.FLOOR_AND_REBATE,
        retained_bp=3000,
        resolution="2026-09",
        costs=[],
        valid_from=date(2024, 1, 1),
        by=makers.SOMEBODY,
        now=NOW,
    )
    bring(session, product, nets)
    return product, pack


def bring(session, product, nets, *, at=NOW) -> None:
    """One household each brings so much, is paid the floor price, and it lies in the store."""
    slips = [
        makers.slip(session, product, makers.household(session, f"农户{n}"), net_g=net, at=at)
        for n, net in enumerate(nets)
    ]
    take_in_slips(
        session,
        [slip.id for slip in slips],
        supplier_id=product.supplier_id,
        by=makers.SOMEBODY,
        now=at,
    )


def submit(session, of: Canteen, *, kg=100, now=NOW, key=None, **given) -> BulkOrder:
    [bulk] = operations.submit_order(
        session,
        of.unit.id,
        lines=[GridLine(pack_id=of.pack.id, quantity=kg * 1000)],
        request_key=key or f"test-{of.next()}",
        by=of.buyer,
        now=now,
        **given,
    )
    return bulk


def signed(session, of: Canteen, *, kg=100, now=NOW, **given) -> BulkOrder:
    bulk = submit(session, of, kg=kg, now=now, **given)
    operations.approve_order(session, bulk.order_id, by=of.approver, now=now)
    return operations.sign_order(session, bulk.order_id, by=of.manager, now=now)


def ship(session, of: Canteen, bulk: BulkOrder, *, kg=None, now=NOW) -> Shipment:
    lines = None
    if kg is not None:
        order = session.get(Order, bulk.order_id)
        line_id = session.scalar(sa.select(OrderLine.id).where(OrderLine.order_id == order.id))
        lines = {line_id: kg * 1000}
    return ship_order(
        session,
        bulk.order_id,
        supplier_id=of.supplier.id,
        lines=lines,
        request_key=f"ship-{of.next()}",
        by=of.storekeeper,
        now=now,
    )


def accept(
    session, of: Canteen, shipment: Shipment, *, weighed=None, rejected=0, now=NOW, **given
) -> Acceptance:
    """Every line as it came (or `weighed`, `rejected`), signed by both receivers."""
    opened = operations.open_acceptance(session, shipment.id, by=of.receiver, now=now)
    for line_id, shipped in shipped_by_line(acceptance_sheet(session, opened.id)).items():
        operations.record_acceptance_line(
            session,
            opened.id,
            line_id,
            weighed=shipped if weighed is None else weighed,
            rejected=rejected,
            by=of.receiver,
            now=now,
            **given,
        )
    operations.sign_acceptance(session, opened.id, by=of.receiver, now=now)
    return operations.sign_acceptance(session, opened.id, by=of.receiver2, now=now)


def accepted(session, of: Canteen, *, kg=100, now=NOW, **given) -> BulkOrder:
    bulk = signed(session, of, kg=kg, now=now)
    accept(session, of, ship(session, of, bulk, now=now), now=now, **given)
    return bulk


def invoiced(session, of: Canteen, bulk: BulkOrder, *, now=NOW) -> BulkOrder:
    operations.record_invoice(
        session,
        bulk.order_id,
        number=f"{bulk.order_id:020}",
        amount=accepted_of(session, bulk.order_id),
        issued_on=now.date(),
        by=of.buyer,
        now=now,
    )
    operations.check_invoice(session, bulk.order_id, by=of.finance, now=now)
    return bulk


def bank_line(session, of: Canteen, amount: Money, *, on=None, memo="") -> BankLine:
    """One movement on the cooperative's account, as an imported statement would hold it."""
    number = of.next()
    statement = BankStatement(
        supplier_id=of.supplier.id,
        sha256=f"{number:064}",
        name="test.csv",
        **stamp(makers.SOMEBODY, NOW),
    )
    session.add(statement)
    session.flush()
    line = BankLine(
        statement_id=statement.id,
        supplier_id=of.supplier.id,
        bank_ref=f"REF{number}",
        on=on or makers.TODAY,
        amount=amount,
        counterparty=of.body.name,
        memo=memo,
        **stamp(makers.SOMEBODY, NOW),
    )
    session.add(line)
    session.flush()
    return line


def pay(session, of: Canteen, bulk: BulkOrder, *, amount=None, on=None, now=NOW) -> BulkOrder:
    amount = amount or accepted_of(session, bulk.order_id)
    line = bank_line(session, of, amount, on=on or makers.business_day(now))
    return operations.recognise_payment(session, line.id, bulk.order_id, by=of.accountant, now=now)


def done(session, of: Canteen, *, kg=100, now=NOW, **given) -> BulkOrder:
    """Ordered, delivered, accepted, invoiced, paid and reviewed."""
    bulk = accepted(session, of, kg=kg, now=now, **given)
    pay(session, of, invoiced(session, of, bulk, now=now), now=now)
    return operations.review_order(session, bulk.order_id, stars=5, text="好", by=of.buyer, now=now)


def filed(session, of: Canteen, *, year=2026, base="480000", ratio_bp=1000, now=None) -> Filing:
    """A filing in force."""
    now = now or datetime(year, 3, 1, 2, 0, tzinfo=UTC)
    draft = operations.save_filing(
        session,
        of.unit.id,
        year,
        canteen_type=CanteenType.OWN,
        base=parse_money(base),
        ratio_bp=ratio_bp,
        contact="冉老师",
        contact_phone="13900000001",
        by=of.buyer,
        now=now,
    )
    operations.submit_filing(session, draft.id, by=of.buyer, now=now)
    operations.confirm_filing(session, draft.id, by=of.clerk, now=now)
    return operations.make_effective(session, draft.id, by=of.district, now=now)

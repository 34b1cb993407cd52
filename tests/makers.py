"""One of each thing, made through the operations themselves. Every maker says what matters and
leaves the rest to be ordinary. Add makers at the end, one per thing."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, date, datetime, timedelta

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import object_session

from catalog.households import operations as households
from catalog.households.models import Household
from catalog.lots import operations as lots
from catalog.lots.models import Confirmation, Contribution, Lot, WeighSlip
from catalog.products import operations as products
from catalog.products.models import Grade, Pack, Product, PurchasePrice, Shelf
from catalog.suppliers import operations as suppliers
from catalog.suppliers.models import (
    CertificateKind,
    EnterpriseSize,
    LinkMechanism,
    Supplier,
    SupplierKind,
)
from kernel.actors import Actor, Door, Role
from kernel.codes import uscc_with_check
from kernel.db import stamp
from kernel.money import Money, Price
from kernel.people import Membership, Organisation, OrganisationKind, User
from kernel.periods import business_day
from orders.payments import operations as payments
from orders.sales import operations as sales
from orders.sales.models import BuyerKind, Order, OrderState
from orders.sales.queries import order_sheet
from orders.sales.rules.freight import Zone
from orders.shares import operations as shares
from orders.shares.models import BenefitModel, CostKind

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
TODAY = date(2026, 11, 23)
SOMEBODY = Actor(door=Door.COMMAND)

TOWNSHIP = "500114125000"
DASHAN, QINGLONG, MAOXI = "500114125201", "500114125202", "500114125207"

BOX_PRICE, KILO_PRICE, FARM_PRICE = Money(2_900), Price(60_000), Price(32_000)

_serial = itertools.count(1)


def organisation(
    session,
    name="水市镇联合社",
    *,
    kind=OrganisationKind.SUPPLIER,
    region_code=TOWNSHIP,
    parent_id=None,
    uscc=None,
    sensitive=False,
) -> Organisation:
    made = Organisation(
        name=name,
        short_name=name[:40],
        kind=kind,
        uscc=uscc,
        region_code=region_code,
        parent_id=parent_id,
        sensitive=sensitive,
        **stamp(SOMEBODY, NOON),
    )
    session.add(made)
    session.flush()
    return made


def user(session, name="龚收购", *, email=None) -> User:
    made = User(
        email=email or f"person{next(_serial)}@sutian.test",
        name=name,
        password_hash=None,
        **stamp(SOMEBODY, NOON),
    )
    session.add(made)
    session.flush()
    return made


def member(session, organisation, *roles, name="龚收购", since=date(2024, 1, 1)) -> User:
    """A user who holds these roles in that organisation."""
    made = user(session, name)
    session.add_all(
        Membership(
            user_id=made.id,
            organisation_id=organisation.id,
            role=role,
            valid_from=since,
            **stamp(SOMEBODY, NOON),
        )
        for role in roles
    )
    session.flush()
    return made


def acting(user, role=None, organisation=None, *, door=Door.WEB) -> Actor:
    return Actor(
        door=door,
        user_id=user.id,
        role=role,
        organisation_id=organisation.id if organisation else None,
        region_code=organisation.region_code if organisation else None,
    )


def supplier(session, name=None, *, code=None, admitted=True, region_code=TOWNSHIP) -> Supplier:
    number = next(_serial)
    body = organisation(session, name or f"第{number}联合社", region_code=region_code)
    made = suppliers.register_supplier(
        session,
        organisation_id=body.id,
        code=code or f"S{number}",
        kind=SupplierKind.COOPERATIVE,
        phone="023-79310000",
        bank="重庆农村商业银行水市支行",
        bank_account="5001140012345678",
        by=SOMEBODY,
        now=NOON,
    )
    if admitted:
        admit(session, made)
    return made


LICENCES = itertools.count(1)


def licence_number(serial=None) -> str:
    """A cooperative's code that holds, another one each time."""
    return uscc_with_check(f"93500114MA{serial or next(LICENCES):07}")


def declared(**given) -> suppliers.Declared:
    """What a cooperative of the township writes into its application."""
    given = {
        "kind": SupplierKind.COOPERATIVE,
        "uscc": licence_number(),
        "legal_person": "覃桐安",
        "origin_code": DASHAN,
        "base_mu_100": 12_050,
        "capacity_g": 800_000_000,
        "main_products": "太空萝卜、魔芋",
        "contact": "庞柏川",
        "phone": "02379310000",
        "bank": "重庆农村商业银行水市支行",
        "bank_account": "5001140012345678",
        "annual_sales": Money(186_000_000),
        "enterprise_size": EnterpriseSize.MICRO,
        "mechanisms": (LinkMechanism.ORDER, LinkMechanism.WORK),
        "linkage_statement": "订单保底收购，农忙季雇本村人分拣",
        **given,
    }
    return suppliers.Declared(**given)


def apply(session, of_supplier, *, by=SOMEBODY, now=NOON, **given):
    """The form filled in, the licence recorded, submitted."""
    body = session.get(Organisation, of_supplier.organisation_id)
    found = declared(**{"origin_code": body.region_code, **given})
    suppliers.save_profile(session, of_supplier.id, found, by=by, now=now)
    certificate(session, of_supplier, number=found.uscc)
    return suppliers.submit_application(session, of_supplier.id, by=by, now=now)


def admit(session, of_supplier, *, by=SOMEBODY, now=NOON) -> None:
    """The whole road: applied, two reviews of the county, the platform's."""
    apply(session, of_supplier, by=by, now=now)
    for step in (
        suppliers.begin_review,
        suppliers.pass_agriculture,
        suppliers.pass_revitalisation,
        suppliers.begin_platform_review,
        suppliers.admit_supplier,
    ):
        step(session, of_supplier.id, by=by, now=now)


def certificate(
    session,
    of_supplier,
    *,
    kind=CertificateKind.LICENCE,
    number=None,
    since=date(2024, 1, 1),
    until=None,
    **given,
):
    return suppliers.add_certificate(
        session,
        of_supplier.id,
        kind=kind,
        number=number or licence_number(),
        valid_from=since,
        valid_to=until,
        **given,
        by=SOMEBODY,
        now=NOON,
    )


def household(
    session, name="张三", *, region_code=DASHAN, group_no=3, people=4, phone=None
) -> Household:
    return households.register_household(
        session,
        name=name,
        region_code=region_code,
        group_no=group_no,
        people=people,
        phone=phone,
        by=SOMEBODY,
        now=NOON,
    )


def category(session, name_zh="蔬菜", name_en="Vegetables", slug="vegetables"):
    return products.add_category(
        session, slug=slug, name_zh=name_zh, name_en=name_en, position=1, by=SOMEBODY, now=NOON
    )


def product(session, of=None, *, on_sale=False, packs=(), category_=None, **given) -> Product:
    """A product of this supplier (or of a new one)."""
    number = next(_serial)
    of = of or supplier(session)
    given = {
        "code": f"P{number}",
        "slug": f"product-{number}",
        "name_zh": "太空萝卜",
        "name_en": "Space radish",
        "summary_zh": "清早拔的萝卜",
        "summary_en": "Pulled at dawn",
        "illustration": "radish",
        "shelf_life_days": 20,
        **given,
    }
    made = products.create_product(
        session,
        supplier_id=of.id,
        category_id=(category_ or category(session)).id,
        **given,
        by=SOMEBODY,
        now=NOON,
    )
    for each in packs:
        pack(session, made, **each)
    if on_sale:
        if not packs:
            pack(session, made)
        products.put_on_sale(session, made.id, by=SOMEBODY, now=NOON)
    return made


def pack(
    session,
    of,
    *,
    shelf=Shelf.CITIZENS,
    grade=Grade.FIRST,
    content=5000,
    price=BOX_PRICE,
    unit_price=KILO_PRICE,
    **given,
) -> Pack:
    """5 kg at ¥29.00 for citizens, or by the kilogram at 6.00 for canteens."""
    citizens = shelf is Shelf.CITIZENS
    return products.add_pack(
        session,
        of.id,
        shelf=shelf,
        grade=grade,
        name_zh="5 kg 一箱" if citizens else "按公斤",
        name_en="Box of 5 kg" if citizens else "By the kilogram",
        content=content if citizens else 1000,
        price=price if citizens else None,
        unit_price=None if citizens else unit_price,
        **given,
        by=SOMEBODY,
        now=NOON,
    )


def purchase_price(
    session, of, *, grade=Grade.FIRST, price=FARM_PRICE, valid_from=date(2024, 1, 1)
) -> PurchasePrice:
    return products.publish_purchase_price(
        session,
        of.id,
        grade=grade,
        price=price,
        valid_from=valid_from,
        resolution="2026-09",
        by=SOMEBODY,
        now=NOON,
    )


def slip(
    session,
    of_product,
    of_household,
    *,
    net_g=100_000,
    grade=Grade.FIRST,
    confirmed=True,
    at=NOON,
    by=SOMEBODY,
) -> WeighSlip:
    """Goods on the scale; the price is published if it was not."""
    if products.queries.purchase_price_on(session, of_product.id, grade, business_day(at)) is None:
        purchase_price(session, of_product, grade=grade)
    made = lots.record_slip(
        session,
        supplier_id=of_product.supplier_id,
        household_id=of_household.id,
        product_id=of_product.id,
        grade=grade,
        gross_g=net_g,
        tare_g=0,
        deduction_bp=0,
        device="test",
        device_seq=str(next(_serial)),
        weighed_at=at,
        by=by,
        now=at,
    )
    if confirmed:
        lots.confirm_slip(
            session,
            made.id,
            confirmation=Confirmation.SIGNATURE,
            confirmed_by=of_household.name,
            by=by,
            now=at,
        )
    return made


def contribution(
    session,
    of_product,
    of_household=None,
    *,
    net_g=100_000,
    grade=Grade.FIRST,
    at=NOON,
    best_before=None,
    available_from=None,
) -> Contribution:
    """What a household brought, taken in; its lot is loaded."""
    of_household = of_household or household(session)
    weighed = slip(session, of_product, of_household, net_g=net_g, grade=grade, at=at)
    [made] = lots.take_in(
        session,
        [weighed.id],
        supplier_id=of_product.supplier_id,
        best_before=best_before,
        available_from=available_from,
        by=SOMEBODY,
        now=at,
    )
    return made


def lot(session, of_product, nets=(100_000,), *, households_=None, **given) -> Lot:
    """One lot of several households' goods, by default of new ones."""
    people = households_ or [household(session, f"农户{n}") for n in range(len(nets))]
    parts = [
        contribution(session, of_product, one, net_g=net, **given)
        for one, net in zip(people, nets, strict=True)
    ]
    return parts[0].lot


def days(number) -> timedelta:
    return timedelta(days=number)


def weigher(session, of_supplier) -> Actor:
    body = session.get(Organisation, of_supplier.organisation_id)
    return acting(member(session, body, Role.WEIGHER), Role.WEIGHER, body)


def storekeeper(session, of_supplier) -> Actor:
    body = session.get(Organisation, of_supplier.organisation_id)
    return acting(member(session, body, Role.STOREKEEPER, name="陶库管"), Role.STOREKEEPER, body)


def sold_product(session, nets=(100_000,), *, of=None, model=None, retained_bp=3000, **given):
    """A product on sale with a benefit rule, packs for both shelves and goods in the store."""
    made = product(
        session,
        of,
        on_sale=True,
        packs=[{"shelf": Shelf.CITIZENS}, {"shelf": Shelf.CANTEENS}],
        fresh=given.pop("fresh", True),
        **given,
    )
    shares.publish_rule(
        session,
        made.id,
        model=model or BenefitModel.FLOOR_AND_REBATE,
        retained_bp=retained_bp,
        resolution="水市2026-03号",
        costs=[shares.Cost(kind=CostKind.PACKAGING, per_unit=Price(2_000))],
        valid_from=date(2024, 1, 1),
        by=SOMEBODY,
        now=NOON,
    )
    if nets:
        stock(session, made, nets)
    return made


def stock(session, of_product, nets, *, at=NOON, households_=None) -> list[Contribution]:
    """Households bring these grams; goods and what is owed for them are in the books."""
    people = households_ or [household(session, f"农户{n}") for n in range(len(nets))]
    slips = [
        slip(session, of_product, one, net_g=net, at=at)
        for one, net in zip(people, nets, strict=True)
    ]
    return shares.take_in_slips(
        session,
        [each.id for each in slips],
        supplier_id=of_product.supplier_id,
        by=acting(user(session, "陶库管")),
        now=at,
    )


def pack_of(product_, shelf=Shelf.CITIZENS) -> Pack:
    session = object_session(product_)
    return session.scalars(
        select(Pack).where(Pack.product_id == product_.id, Pack.shelf == shelf).order_by(Pack.id)
    ).first()


def contact(**given) -> sales.Contact:
    given = {
        "recipient": "林女士",
        "phone": "13855501234",
        "address": "重庆市渝北区龙山街道松牌路 8 号 3 栋 12-4",
        "email": "lin@example.test",
        **given,
    }
    return sales.Contact(**given)


def placing(*wanted, **given) -> sales.Placing:
    """A citizen's order of these (pack, count), waiting a quarter of an hour for its payment."""
    given = {
        "buyer_kind": BuyerKind.CITIZEN,
        "contact": contact(),
        "request_key": f"request:{next(_serial)}",
        "state": OrderState.AWAITING_PAYMENT,
        "hold_until": NOON + timedelta(minutes=15),
        **given,
    }
    lines = [
        each if isinstance(each, sales.Wanted) else sales.Wanted(pack_id=each[0].id, count=each[1])
        for each in wanted
    ]
    return sales.Placing(lines=lines, **given)


def citizen_order(session, product_=None, count=1, *, by=SOMEBODY, now=NOON, **given) -> Order:
    """Placed and waiting for its payment."""
    product_ = product_ or sold_product(session)
    return sales.place_order(session, placing((pack_of(product_), count), **given), by=by, now=now)


def paid_order(session, product_=None, count=1, *, now=NOON, **given) -> Order:
    """Placed and paid through the provider; to be shipped."""
    made = citizen_order(session, product_, count, now=now, **given)
    payment = payments.start_payment(session, made.id, by=SOMEBODY, now=now)
    pay(session, payment, now=now)
    return order_sheet(session, made.id)


def pay(session, payment, *, amount=None, currency="cny", now=NOON) -> str:
    """The provider says that it has the money."""
    received = payments.Received(
        amount=amount or payment.amount,
        currency=currency,
        session_id=f"cs_test_{payment.id}",
        intent_id=f"pi_{payment.id}",
    )
    return payments.settle_payment(session, payment.id, received, by=SOMEBODY, now=now)


def rule(session, of_product, *, model=None, retained_bp=3000, costs=None, since=date(2024, 1, 1)):
    """Floor price and rebate, 30 % retained, freight 0.45 and packaging 0.20 per kg (§4.2)."""
    if costs is None:
        costs = [
            shares.Cost(kind=CostKind.FREIGHT, per_unit=Price(4_500)),
            shares.Cost(kind=CostKind.PACKAGING, per_unit=Price(2_000)),
        ]
    return shares.publish_rule(
        session,
        of_product.id,
        model=model or BenefitModel.FLOOR_AND_REBATE,
        retained_bp=retained_bp,
        resolution="2026-03" if retained_bp else "",
        costs=costs,
        valid_from=since,
        by=SOMEBODY,
        now=NOON,
    )


def bought(session, of_product, of_household, *, net_g=100_000, at=NOON, grade=Grade.FIRST):
    """Goods weighed in, taken in and owed for; the product has a rule."""
    weighed = slip(session, of_product, of_household, net_g=net_g, grade=grade, at=at)
    [made] = shares.take_in_slips(
        session, [weighed.id], supplier_id=of_product.supplier_id, by=SOMEBODY, now=at
    )
    return made


def account(
    session, of_household, *, number=None, holder=None, bank="重庆农商行水市支行", proof=""
):
    """Where a household is paid."""
    return households.open_payout_account(
        session,
        of_household.id,
        holder=holder or of_household.name,
        bank=bank,
        number=number or f"6217{next(_serial):012}",
        proof=proof,
        by=SOMEBODY,
        now=NOON,
    )


def photograph(width=1200, height=800, *, gps=False, turned=False, kind="JPEG") -> bytes:
    """A photo as a phone takes it: top left red, the rest green; perhaps with the place in its
    EXIF, perhaps lying on its side and saying so."""
    image = Image.new("RGB", (width, height), (60, 120, 70))
    image.paste((200, 30, 30), (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x010F] = "Some Phone"
    if turned:
        exif[0x0112] = 6
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 32.0, 0.0), 3: "E", 4: (108.0, 46.0, 0.0)})
    written = io.BytesIO()
    image.save(written, kind, exif=exif)
    return written.getvalue()


def freight(session, supplier_id, *zones, valid_from=TODAY, now=NOON):
    """¥6.00 for the first kilogram and ¥1.00 for each further one, everywhere, if none is given."""
    zones = zones or (
        Zone(region="", first_g=1000, first_fee=Money(600), step_g=1000, step_fee=Money(100)),
    )
    return sales.publish_freight(
        session, supplier_id, zones, valid_from=valid_from, by=SOMEBODY, now=now
    )


def other_lot(session, of_product, lot_id) -> int | None:
    """A lot of the same product that is not this one."""
    return session.scalar(
        select(Lot.id).where(Lot.product_id == of_product.id, Lot.id != lot_id).order_by(Lot.id)
    )

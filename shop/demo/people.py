"""Offices, cooperatives, canteens, and everybody who works in them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from catalog.suppliers.models import CertificateKind, EnterpriseSize, LinkMechanism, SupplierKind
from catalog.suppliers.operations import (
    Declared,
    add_certificate,
    admit_supplier,
    begin_platform_review,
    begin_review,
    pass_agriculture,
    pass_revitalisation,
    register_supplier,
    save_profile,
    submit_application,
)
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import COMMAND, Role
from kernel.db import stamp
from kernel.money import Money
from kernel.people import Organisation, OrganisationKind, User
from kernel.periods import business_day
from kernel.signing_in import add_membership, create_user
from orders.agencies.models import CanteenType, UnitKind
from orders.agencies.operations.units import create_unit
from shop.demo import tables
from shop.demo.tables import UnitRow
from shop.demo.town import Town, person

# The unit and the cooperative whose people are the sample sign-ins.
SAMPLE_UNIT = "xj-sy"
SAMPLE_SUPPLIER = "SS"
SAMPLE_VILLAGE = "500114125201"
MAIL = "@sutian.test"

# Desks of a unit with a canteen, of a cooperative; the number tells two of one role apart.
_CANTEEN = (
    (Role.BUYER, 0), (Role.APPROVER, 0), (Role.RECEIVER, 0), (Role.RECEIVER, 1),
    (Role.FINANCE, 0), (Role.UNION, 0),
)  # fmt: skip
_COOPERATIVE = (
    (Role.WEIGHER, 0), (Role.STOREKEEPER, 0), (Role.ACCOUNTANT, 0), (Role.ACCOUNTANT, 1),
    (Role.MANAGER, 0), (Role.MANAGER, 1),
)  # fmt: skip

# Who is played by the sample sign-ins: (body, role, number) → the name before the @.
SIGN_INS = {
    **{(SAMPLE_UNIT, role, number): _sign for role, number, _sign in (
        (Role.BUYER, 0, "buyer"), (Role.APPROVER, 0, "approver"), (Role.RECEIVER, 0, "receiver"),
        (Role.RECEIVER, 1, "receiver2"), (Role.FINANCE, 0, "finance"), (Role.UNION, 0, "union"),
    )},
    **{(SAMPLE_SUPPLIER, role, number): _sign for role, number, _sign in (
        (Role.WEIGHER, 0, "weigher"), (Role.STOREKEEPER, 0, "storekeeper"),
        (Role.ACCOUNTANT, 0, "accountant"), (Role.MANAGER, 0, "manager"),
        (Role.ACCOUNTANT, 1, "accountant2"), (Role.MANAGER, 1, "manager2"),
    )},
    (SAMPLE_VILLAGE, Role.HELPER, 0): "helper",
    (SAMPLE_VILLAGE, Role.HOUSEHOLD, 0): "household",
    ("township", Role.OFFICIAL, 0): "official",
    ("district", Role.DISTRICT, 0): "district",
    ("district", Role.DISTRICT, 1): "district2",
    ("edu", Role.DEPARTMENT, 0): "department",
    ("audit", Role.AUDITOR, 0): "auditor",
    ("platform", Role.OPERATOR, 0): "operator",
}  # fmt: skip
CITIZEN = "citizen"
# Sample people are called as in the pictures, or much like it.
NAMES = {
    "buyer": "冉禾青", "approver": "田桂平", "receiver": "石松安", "receiver2": "冉薯香",
    "finance": "邓竹顺", "union": "何兰芳", "weigher": "龚荞生", "storekeeper": "向杉高",
    "accountant": "陶麦青", "accountant2": "罗穗芳", "manager": "覃桐安", "manager2": "庞柏川",
    "helper": "简柏生", "official": "谭枫林", "district": "秦葛成", "district2": "熊杏舒",
    "department": "曾棉云",
    "auditor": "彭梅霞", "operator": "白桃玉", CITIZEN: "周桑月",
}  # fmt: skip
HELPERS_PER_VILLAGE = 6


def settle_bodies(town: Town, session: Session, now: datetime) -> None:
    """The platform, the offices, the villages and the people at their desks."""
    home = tables.villages()[0].code[:9] + "000"
    _body(town, session, "platform", "溯田平台", "溯田", OrganisationKind.PLATFORM, home, now=now)
    for row in tables.bodies():
        _body(
            town, session, row["key"], row["name"], row["short"], OrganisationKind.GOVERNMENT,
            row["region"], uscc="11", now=now,
        )  # fmt: skip
    for village in tables.villages():
        name = f"水市镇{village.name}帮扶工作站"
        _body(
            town, session, village.code, name, f"{village.name}工作站", OrganisationKind.GOVERNMENT,
            village.code, uscc="N1", now=now,
        )  # fmt: skip
        for number in range(HELPERS_PER_VILLAGE * town.scale):
            employ(town, session, village.code, Role.HELPER, number, now)
    desks = {
        "platform": Role.OPERATOR, "township": Role.OFFICIAL, "district": Role.DISTRICT,
        "audit": Role.AUDITOR,
    }  # fmt: skip
    for row in tables.bodies():
        desks.setdefault(row["key"], Role.DEPARTMENT)
    for key, role in desks.items():
        employ(town, session, key, role, 0, now)
    # The county's second review is made by somebody else.
    employ(town, session, "district", Role.DISTRICT, 1, now)
    town.citizen = create_user(
        session, email=f"{CITIZEN}{MAIL}", name=NAMES[CITIZEN], by=COMMAND, now=now
    ).id


def settle_suppliers(town: Town, session: Session, now: datetime) -> None:
    """Three cooperatives, a workshop and a tea factory apply, show their papers, are admitted."""
    for row in tables.suppliers():
        key = row["code"]
        organisation = _body(
            town, session, key, row["name"], row["short"], OrganisationKind.SUPPLIER,
            row["region"], uscc=row["uscc_prefix"], now=now,
        )  # fmt: skip
        for role, number in _COOPERATIVE:
            employ(town, session, key, role, number, now)
        supplier = register_supplier(
            session,
            organisation_id=organisation.id,
            code=key,
            kind=SupplierKind(row["kind"]),
            phone=row["phone"],
            bank=row["bank"],
            bank_account=row["account"],
            by=town.actor(key, Role.MANAGER),
            now=now,
        )
        town.suppliers[key] = supplier.id
        _certify(session, supplier.id, organisation, row["kind"], town, now)
        _declare(session, supplier.id, organisation, row["kind"], town, now)
        _admit(session, supplier.id, town, now)


# What each kind of body declares: base (mu × 100), capacity (t), sales (yuan), products, by whom.
_DECLARED = {
    "cooperative": (86_000, 900, 1_860_000, "太空萝卜、魔芋、蔬菜", ("order", "work", "dividend")),
    "workshop": (12_000, 60, 420_000, "豆干、粉条、腌菜", ("order", "work")),
    "company": (64_000, 40, 2_350_000, "红茶、绿茶", ("order", "land", "work")),
}


def _declare(
    session: Session,
    supplier_id: int,
    organisation: Organisation,
    kind: str,
    town: Town,
    now: datetime,
) -> None:
    base, tonnes, sales, products, ways = _DECLARED[kind]
    supplier = supplier_sheet(session, supplier_id)
    save_profile(
        session,
        supplier_id,
        Declared(
            kind=supplier.kind,
            uscc=str(organisation.uscc),
            legal_person=_name_of(session, supplier.code, 0, town),
            origin_code=organisation.region_code,
            base_mu_100=base,
            capacity_g=tonnes * 1_000_000,
            main_products=products,
            contact=_name_of(session, supplier.code, 1, town),
            phone=supplier.phone,
            bank=supplier.bank,
            bank_account=supplier.bank_account,
            annual_sales=Money(sales * 100),
            enterprise_size=EnterpriseSize.MICRO,
            mechanisms=tuple(LinkMechanism(each) for each in ways),
            linkage_statement="按公布的收购价敞开收购，农忙季优先雇本村脱贫户分拣，年底按交售量返利",
        ),
        by=town.actor(supplier.code, Role.MANAGER),
        now=now,
    )


def _name_of(session: Session, key: str, number: int, town: Town) -> str:
    """The supplier's own managers stand in its papers; a small one has only one of them."""
    actor = town.staff.get((key, Role.MANAGER, number)) or town.actor(key, Role.MANAGER)
    user = session.get(User, actor.user_id)
    assert user is not None
    return user.name


def _admit(session: Session, supplier_id: int, town: Town, now: datetime) -> None:
    """Applied by its manager, reviewed by two people of the county, admitted by the platform."""
    supplier = supplier_sheet(session, supplier_id)
    manager = town.actor(supplier.code, Role.MANAGER)
    first, second = (town.actor("district", Role.DISTRICT, number) for number in (0, 1))
    operator = town.actor("platform", Role.OPERATOR)
    for step, by in (
        (submit_application, manager), (begin_review, first), (pass_agriculture, first),
        (pass_revitalisation, second), (begin_platform_review, operator),
        (admit_supplier, operator),
    ):  # fmt: skip
        step(session, supplier_id, by=by, now=now)


def _certify(
    session: Session,
    supplier_id: int,
    organisation: Organisation,
    kind: str,
    town: Town,
    now: datetime,
) -> None:
    operator = town.actor("platform", Role.OPERATOR)
    since = business_day(now).replace(year=business_day(now).year - 1, day=1)
    papers: list[tuple[CertificateKind, str, date | None]] = [
        (CertificateKind.LICENCE, str(organisation.uscc), None)
    ]
    if kind in ("workshop", "company"):
        number = _production_licence("114" if kind == "company" else "131", supplier_id)
        papers.append((CertificateKind.FOOD_PRODUCTION, number, since.replace(year=since.year + 5)))
    if kind == "cooperative":
        number = f"JY1500114{supplier_id:07}"
        papers.append((CertificateKind.FOOD_TRADE, number, since.replace(year=since.year + 5)))
    if kind == "company":
        until = since.replace(year=since.year + 4)
        papers.append((CertificateKind.GREEN_FOOD, f"LB-44-{supplier_id:04}A", until))
    for paper, serial, ends in papers:
        add_certificate(
            session, supplier_id, kind=paper, number=serial, valid_from=since, valid_to=ends,
            by=operator, now=now,
        )  # fmt: skip


def _production_licence(category: str, serial: int) -> str:
    """SC and 14 digits, the last a check of the others (GB/T 17710, mod 11,10; domain.md §2.3)."""
    body = f"{category}500114{serial:04}"
    rest = 10
    for digit in body:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return f"SC{body}{(11 - rest) % 10}"


def settle_applicant(town: Town, session: Session, now: datetime) -> None:
    """A cooperative that has applied and waits for the platform."""
    organisation = _body(
        town, session, "MX", "黔江区茂溪村蔬菜专业合作社", "茂溪蔬菜合作社",
        OrganisationKind.SUPPLIER, "500114125207", uscc="93", now=now,
    )  # fmt: skip
    employ(town, session, "MX", Role.MANAGER, 0, now)
    supplier = register_supplier(
        session,
        organisation_id=organisation.id,
        code="MX",
        kind=SupplierKind.COOPERATIVE,
        phone="02300000106",
        bank="样例农商行水市支行",
        bank_account="9999010100000069",
        by=town.actor("MX", Role.MANAGER),
        now=now,
    )
    town.suppliers["MX"] = supplier.id
    add_certificate(
        session, supplier.id, kind=CertificateKind.LICENCE, number=str(organisation.uscc),
        valid_from=business_day(now) - timedelta(days=400), valid_to=None,
        by=town.actor("MX", Role.MANAGER), now=now,
    )  # fmt: skip
    _declare(session, supplier.id, organisation, "cooperative", town, now)
    submit_application(session, supplier.id, by=town.actor("MX", Role.MANAGER), now=now)


def settle_units(town: Town, session: Session, now: datetime) -> None:
    """Budget units under their departments; who leads a shared canteen before who shares it."""
    rows = sorted(tables.units(), key=lambda row: row.canteen == "shared")
    for copy in range(town.scale):
        for row in rows:
            _settle_unit(town, session, row, copy, now)


def _settle_unit(town: Town, session: Session, row: UnitRow, copy: int, now: datetime) -> None:
    key, suffix = unit_key(row.key, copy), f"第{copy + 1}分部" if copy else ""
    prefix = {"office": "11"}.get(row.kind, "12")
    organisation = _body(
        town, session, key, row.name + suffix, row.short + suffix, OrganisationKind.UNIT,
        row.region, uscc=prefix, parent=town.bodies[row.department], now=now,
    )  # fmt: skip
    organisation.sensitive = row.sensitive
    desks = _CANTEEN if row.canteen not in ("none", "shared") else _CANTEEN[:2]
    for role, number in desks:
        employ(town, session, key, role, number, now)
    unit = create_unit(
        session,
        organisation_id=organisation.id,
        kind=UnitKind(row.kind),
        system=row.system,
        canteen_type=CanteenType(row.canteen),
        representative_id=town.units[unit_key(row.leader, copy)] if row.leader else None,
        diners=row.diners,
        contact=town.names.person("female"),
        contact_phone=town.names.phone(),
        by=town.actor("platform", Role.OPERATOR),
        now=now,
    )
    town.units[key] = unit.id


def unit_key(key: str, copy: int) -> str:
    return f"{key}#{copy}" if copy else key


def _body(
    town: Town,
    session: Session,
    key: str,
    name: str,
    short: str,
    kind: OrganisationKind,
    region: str,
    *,
    uscc: str = "",
    parent: int | None = None,
    now: datetime,
) -> Organisation:
    organisation = Organisation(
        name=name,
        short_name=short,
        kind=kind,
        uscc=town.names.uscc(uscc) if uscc else None,
        region_code=region,
        parent_id=parent,
        **stamp(COMMAND, now),
    )
    session.add(organisation)
    session.flush()  # so that its people can point to it
    audit.note(
        session, "register_organisation", f"organisation:{organisation.id}", by=COMMAND, now=now
    )
    town.bodies[key], town.regions[key] = organisation.id, region
    return organisation


def employ(
    town: Town,
    session: Session,
    body: str,
    role: Role,
    number: int,
    now: datetime,
    name: str | None = None,
) -> None:
    """Somebody does this work there; sample sign-ins are among them."""
    sign = SIGN_INS.get((body, role, number))
    email = f"{sign}{MAIL}" if sign else f"{body}-{role.value}-{number}@staff{MAIL[1:]}".lower()
    sex = "female" if (len(town.staff) + number) % 2 else "male"
    user = create_user(
        session,
        email=email.replace("#", "-"),
        name=name or NAMES.get(sign or "") or town.names.person(sex),
        by=COMMAND,
        now=now,
    )
    add_membership(
        session,
        user.id,
        organisation_id=town.bodies[body],
        role=role,
        valid_from=business_day(now) - timedelta(days=1),
        by=COMMAND,
        now=now,
    )
    town.staff[body, role, number] = person(user.id, role, town.bodies[body], town.regions[body])

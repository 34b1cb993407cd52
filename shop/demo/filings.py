"""The rules of each year, and every unit's declaration of what it reserves."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.money import ZERO, Money
from orders.agencies.models import CanteenType
from orders.agencies.operations import (
    confirm_filing,
    correct_filing,
    make_effective,
    return_filing,
    save_filing,
    set_policy,
    submit_filing,
)
from shop.demo import rhythm, tables
from shop.demo.people import unit_key
from shop.demo.tables import UnitRow
from shop.demo.town import Town, at

DISTRICT = "500114000000"
OPENS, CLOSES = (2, 20), (3, 21)

# Units with something unusual: sent back once; asked for a correction that is being reviewed.
_SENT_BACK = "jd-zb"
_CORRECTING = {"xj-zb": "department", "yy-fy": "district"}


def years(town: Town) -> list[int]:
    """Years in which something is ordered."""
    return list(range(town.span.trade.year, town.span.today.year + 1))


def window(town: Town, year: int) -> tuple[date, date]:
    """When units file; a story that begins later opens its own window."""
    opens, closes = date(year, *OPENS), date(year, *CLOSES)
    if town.span.begin > opens:
        opens = town.span.begin + timedelta(days=6)
        closes = opens + timedelta(days=20)
    return opens, closes


def plan_filings(town: Town) -> None:
    """Policies at the beginning of each year, filings in its window."""
    for year in years(town):
        town.plan(_policy_day(town, year), _set_policy(town, year))
        chance = town.chance(f"filings:{year}")
        opens, closes = window(town, year)
        for copy in range(town.scale):
            for row in tables.units():
                day = opens + timedelta(days=chance.randint(0, (closes - opens).days - 6))
                _plan_one(town, row, copy, year, day)


def _policy_day(town: Town, year: int) -> datetime:
    return at(max(date(year, 1, 2), town.span.begin + timedelta(days=1)), 8)


def _set_policy(town: Town, year: int):  # type: ignore[no-untyped-def]
    def event(session: Session, now: datetime) -> None:
        opens, closes = window(town, year)
        set_policy(
            session,
            region_code=DISTRICT,
            year=year,
            ratio_floor_bp=1_000,
            filing_from=opens,
            filing_to=closes,
            document_no=f"黔江财采〔{year}〕8号",
            needs_review=True,
            approval_threshold=Money(50_000_00),
            annual_cap=Money(40_000_00),
            by=town.actor("platform", Role.OPERATOR),
            now=now,
        )

    return event


def _plan_one(town: Town, row: UnitRow, copy: int, year: int, day: date) -> None:
    key = unit_key(row.key, copy)
    department = town.actor(row.department, Role.DEPARTMENT)
    district = town.actor("district", Role.DISTRICT)
    buyer = town.actor(key, Role.BUYER)
    found: dict[str, int] = {}

    def submit(session: Session, now: datetime) -> None:
        found["filing"] = _save(town, session, row, key, year, now)
        submit_filing(session, found["filing"], by=buyer, now=now)

    def send_back(session: Session, now: datetime) -> None:
        return_filing(
            session,
            found["filing"],
            reason="食材采购总额未含早餐，请核对后重报",
            by=department,
            now=now,
        )

    def confirm(session: Session, now: datetime) -> None:
        confirm_filing(session, found["filing"], by=department, now=now)

    def put_in_force(session: Session, now: datetime) -> None:
        make_effective(session, found["filing"], by=district, now=now)

    if row.key == _SENT_BACK:
        town.plan(at(day, 9, 30), submit)
        town.plan(at(day, 15, 0), send_back)
        day = rhythm.working_days_after(day, 1)
    town.plan(at(day, 10, 5), submit)
    confirmed = rhythm.working_days_after(day, 2)
    town.plan(at(confirmed, 11, 10), confirm)
    effective = rhythm.working_days_after(confirmed, 2)
    town.plan(at(effective, 16, 20), put_in_force)
    if row.key in _CORRECTING and year == town.span.today.year:
        _plan_correction(
            town, row, key, year, max(town.span.today - timedelta(days=6), effective), found
        )


def _save(town: Town, session: Session, row: UnitRow, key: str, year: int, now: datetime) -> int:
    last = year < town.span.today.year
    reserved = row.reserved_before if last else row.reserved
    ratio = 1_000 if last and row.ratio_bp > 1_000 else row.ratio_bp
    base = Money(reserved.fen * 10_000 // ratio // 100 * 100) if ratio else ZERO
    filing = save_filing(
        session,
        town.units[key],
        year,
        canteen_type=CanteenType(row.canteen),
        base=base,
        ratio_bp=ratio,
        representative_id=town.units[_leader(row, key)] if row.leader else None,
        union_budget=Money(row.diners * 300_00) if row.kind != "hospital" else ZERO,
        explanation="供餐人数按上年决算口径核减" if not last else "",
        contact="办公室",
        contact_phone=f"023-792{town.units[key] % 100_000:05}",
        by=town.actor(key, Role.BUYER),
        now=now,
    )
    return filing.id


def _leader(row: UnitRow, key: str) -> str:
    _, mark, copy = key.partition("#")
    return row.leader + mark + copy


def _plan_correction(
    town: Town, row: UnitRow, key: str, year: int, day: date, found: dict[str, int]
) -> None:
    """Asked for a few days ago; it waits for the department, or already for the district."""
    buyer = town.actor(key, Role.BUYER)

    def ask(session: Session, now: datetime) -> None:
        fresh = correct_filing(
            session, found["filing"], explanation="秋季新增两个班，供餐人数增加，采购总额相应调整",
            by=buyer, now=now,
        )  # fmt: skip
        base = Money(row.reserved.fen * 10_000 // row.ratio_bp * 104 // 100 // 100 * 100)
        found["fresh"] = save_filing(
            session,
            town.units[key],
            year,
            canteen_type=CanteenType(row.canteen),
            base=base,
            ratio_bp=row.ratio_bp,
            explanation=fresh.explanation,
            contact="办公室",
            contact_phone=f"023-792{town.units[key] % 100_000:05}",
            by=buyer,
            now=now,
        ).id
        submit_filing(session, found["fresh"], by=buyer, now=now)

    def confirm(session: Session, now: datetime) -> None:
        department = town.actor(row.department, Role.DEPARTMENT)
        confirm_filing(session, found["fresh"], by=department, now=now)

    town.plan(at(day, 9, 50), ask)
    if _CORRECTING[row.key] == "district":
        town.plan(at(day + timedelta(days=2), 14, 40), confirm)

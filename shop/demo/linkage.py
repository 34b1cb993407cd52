"""Wages and rents beside the goods, a review of last year, a paper that ends soon, a mandate, and
a new account that waits for the county."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from catalog.suppliers.models import CertificateKind, LinkMechanism
from catalog.suppliers.operations import (
    add_certificate,
    agree_mandate,
    open_link,
    propose_mandate,
    record_link_payment,
    request_change,
    review_linkage,
)
from catalog.suppliers.queries import profile_of, register_entry, supplier_sheet
from catalog.suppliers.rules import edition
from kernel.actors import Role
from kernel.money import Money
from kernel.periods import business_day
from shop.demo.pictures import photo
from shop.demo.town import Town, at
from shop.suppliers.queries import effect_of, paid_to_households

SAMPLE = "SS"
TEA = "AX"

# Supplier, village, way, what was agreed, yuan a month or a year, how many households.
_AGREED = (
    (SAMPLE, "500114125201", LinkMechanism.WORK, "分拣工，110 元/天，按天记工", 1_760, 6),
    (TEA, "500114125204", LinkMechanism.LAND, "茶园流转 2.5 亩，600 元/亩·年", 1_500, 7),
)
REVIEWED = ("SS", "YL", "XA")


def plan_linkage(town: Town) -> None:
    """Three weeks ago the papers of the year were recorded; in spring the district looked back."""
    today = town.span.today
    spring = date(today.year, 3, 12)
    if spring > town.span.trade:
        town.plan(at(spring, 15), _review, town)
    town.plan(at(today - timedelta(days=21), 15), _record, town)
    town.plan(at(today - timedelta(days=9), 10), _mandate, town)
    town.plan(at(today - timedelta(days=2), 10), _new_account, town)


def _record(town: Town, session: Session, now: datetime) -> None:
    chance, storage = town.chance("links"), town.services.storage
    for key, village, way, terms, yuan, count in _AGREED:
        clerk = town.actor(key, Role.ACCOUNTANT)
        homes = [home for home in town.homes if home.village == village][:count]
        for number, home in enumerate(homes):
            supplier_id = town.suppliers[key]
            link = open_link(
                session, supplier_id, household_id=town.households[home.number], mechanism=way,
                since=date(business_day(now).year, 1, 1), until=None, terms=terms,
                evidence=photo(storage, chance), by=clerk, now=now,
            )  # fmt: skip
            if number == count - 1:
                continue  # agreed, not paid yet: it counts nowhere
            record_link_payment(
                session, supplier_id, link.id, paid_on=business_day(now) - timedelta(days=3),
                amount=Money(100 * (yuan + 110 * (number % 4))), reference=f"{key}-{number + 1:03}",
                evidence=photo(storage, chance), by=clerk, now=now,
            )  # fmt: skip
    ends = town.span.today + timedelta(days=12)
    add_certificate(
        session, town.suppliers[SAMPLE], kind=CertificateKind.HEALTH, number="JK500114-2025-0318",
        valid_from=ends - timedelta(days=365), valid_to=ends, covers="分拣点 4 人",
        scan=photo(storage, chance), by=town.actor(SAMPLE, Role.MANAGER), now=now,
    )  # fmt: skip


def _mandate(town: Town, session: Session, now: datetime) -> None:
    """The tea factory lets the cooperative sell its gift boxes until after the Spring Festival."""
    mandate = propose_mandate(
        session, town.suppliers[SAMPLE], principal_id=town.suppliers[TEA], number="委托2026-03",
        covers="安心红茶礼盒（250 克、500 克）", valid_from=business_day(now),
        valid_to=town.span.today + timedelta(days=80),
        paper=photo(town.services.storage, town.chance("mandate")),
        by=town.actor(SAMPLE, Role.MANAGER), now=now,
    )  # fmt: skip
    agree_mandate(
        session, town.suppliers[TEA], mandate.id, by=town.actor(TEA, Role.MANAGER), now=now
    )


def _new_account(town: Town, session: Session, now: datetime) -> None:
    """The rice cooperative has moved to another branch of its bank; the county has to look."""
    supplier_id = town.suppliers["YL"]
    entry = register_entry(supplier_sheet(session, supplier_id), profile_of(session, supplier_id))
    request_change(
        session, supplier_id,
        entry | {"bank": "样例农商行黔江支行", "bank_account": "9999010100000077"},
        seen=edition(entry), reason="水市支行撤并，账户迁到黔江支行",
        proof=photo(town.services.storage, town.chance("account")),
        by=town.actor("YL", Role.MANAGER), now=now,
    )  # fmt: skip


def _review(town: Town, session: Session, now: datetime) -> None:
    year = business_day(now).year - 1
    begin, end = date(year, 1, 1), date(year, 12, 31)
    for key in REVIEWED:
        supplier_id = town.suppliers[key]
        payments = paid_to_households(session, supplier_id, begin=begin, end=end)
        found, _statuses = effect_of(session, payments, begin=begin, end=end)
        review_linkage(
            session, supplier_id, year, found, payments, certified=bool(found.households),
            sentence="" if found.households else "没有收到任何到户支付凭证",
            by=town.actor("district", Role.DISTRICT), now=now,
        )  # fmt: skip

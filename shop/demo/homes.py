"""Households: who lives where, what they grow, where they are paid, who helps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from random import Random

from sqlalchemy.orm import Session

from catalog.households.models import ConsentPurpose, Household, MonitorType, RiskStatus, Sex
from catalog.households.operations import (
    add_member,
    add_plot,
    assign_helper,
    give_account,
    give_consent,
    open_payout_account,
    record_status,
    register_household,
)
from kernel.actors import Actor, Door, Role
from kernel.db import get_or_missing
from kernel.periods import business_day
from shop.demo import tables
from shop.demo.people import HELPERS_PER_VILLAGE, SAMPLE_VILLAGE, employ
from shop.demo.pictures import paper
from shop.demo.tables import VillageRow
from shop.demo.town import Home, Town

KONJAC, KONJAC_MU_100 = "K01", 300_00
SOURCE = "黔江区乡村振兴系统导出"
BANK = "样例农商行水市支行"

# Registered households that have sold nothing yet, by village in the order of the table.
_IDLE = (6, 3, 4, 5, 4, 5, 3, 9)
_RELATIONS = (
    ("配偶", "female", True), ("之子", "male", True), ("之女", "female", True),
    ("父亲", "male", False), ("母亲", "female", False), ("孙子", "male", False),
    ("孙女", "female", False), ("儿媳", "female", True),
)  # fmt: skip


def plan_homes(chance: Random, scale: int = 1) -> list[Home]:
    """Every household with its crops; the numbers of the registry hold exactly (per copy)."""
    homes: list[Home] = []
    surnames = tables.words()["surnames"].split()
    for _ in range(scale):
        for village, idle in zip(tables.villages(), _IDLE, strict=True):
            sizes = _sizes(village.people, village.registered, chance)
            for place in range(village.registered + village.others):
                registered = place < village.registered
                homes.append(
                    Home(
                        number=len(homes),
                        village=village.code,
                        group_no=1 + place % 6,
                        registered=registered,
                        people=sizes[place] if registered else chance.choice((2, 3, 3, 4, 4, 5)),
                        surname=chance.choice(surnames),
                        crops=_crops(village, place, idle, chance),
                    )
                )
    sample = next(home for home in homes if home.village == SAMPLE_VILLAGE and home.group_no == 3)
    homes[sample.number] = replace(sample, surname="张", crops=("R01", "V03"), people=sample.people)
    return homes


def sample_home(homes: list[Home]) -> Home:
    """The household that signs in."""
    return next(home for home in homes if home.village == SAMPLE_VILLAGE and home.group_no == 3)


def _sizes(people: int, households: int, chance: Random) -> list[int]:
    """How many live in each, one to seven, adding up to all of them."""
    sizes = [1] * households
    while sum(sizes) < people:
        place = chance.randrange(households)
        if sizes[place] < 7:
            sizes[place] += 1
    return sizes


def _crops(village: VillageRow, place: int, idle: int, chance: Random) -> tuple[str, ...]:
    registered = place < village.registered
    inside = place if registered else place - village.registered
    konjac = village.konjac_registered if registered else village.konjac_others
    others = [crop for crop in village.crops if crop != KONJAC]
    if inside < konjac:
        more = chance.sample(others, 1) if chance.random() < 0.4 else []
        return (KONJAC, *more)
    if registered and inside >= village.registered - idle:
        return ()
    return tuple(chance.sample(others, min(len(others), chance.choice((1, 2, 2)))))


def settle_homes(town: Town, session: Session, now: datetime) -> None:
    """All households enter the register, with members, accounts, status and helpers."""
    chance = town.chance("homes")
    clerk = town.actor("township", Role.OFFICIAL).through(Door.IMPORT)
    for home in town.homes:
        _settle_home(town, session, home, clerk, chance, now)
    _sample_household(town, session, clerk, now)


def _settle_home(
    town: Town, session: Session, home: Home, clerk: Actor, chance: Random, now: datetime
) -> None:
    sex = "female" if chance.random() < 0.2 else "male"
    head = town.names.person(sex, home.surname)
    household = register_household(
        session,
        name=head,
        region_code=home.village,
        group_no=home.group_no,
        people=home.people,
        phone=town.names.phone(),
        by=clerk,
        now=now,
    )
    key = household.id
    town.households[home.number] = key
    add_member(
        session, key, name=head, relation="户主", sex=Sex(sex), identity=town.names.identity(sex),
        is_head=True, by=clerk, now=now,
    )  # fmt: skip
    if home.registered:
        _members(town, session, key, home, clerk, now)
        _status(session, key, home, clerk, chance, now)
        helpers = HELPERS_PER_VILLAGE * town.scale
        number = 0 if home is sample_home(town.homes) else home.number % helpers
        helper = town.actor(home.village, Role.HELPER, number).user_id
        assert helper is not None
        assign_helper(session, key, helper, valid_from=business_day(now), by=clerk, now=now)
    elif home.number % 27 == 5:
        record_status(
            session, key, lifted=False, monitor_type=MonitorType.MARGINAL,
            risk_status=RiskStatus.RESOLVED, as_of=_as_of(now), source=SOURCE, by=clerk, now=now,
        )  # fmt: skip
    if home.crops or home.number % 3:
        open_payout_account(
            session, key, holder=head, bank=BANK, number=town.names.account(),
            proof="惠农一卡通登记表", by=clerk, now=now,
        )  # fmt: skip
    if home.crops and home.number % 9 == 4:
        _consents(town, session, key, home, clerk, chance, now)


def _members(
    town: Town, session: Session, key: int, home: Home, clerk: Actor, now: datetime
) -> None:
    for relation, sex, works in _RELATIONS[: home.people - 1]:
        child = relation.startswith("孙")
        surname = home.surname if relation in ("之子", "之女", "父亲", "孙子", "孙女") else None
        add_member(
            session,
            key,
            name=town.names.person(sex, surname, child=child),
            relation=relation,
            sex=Sex(sex),
            identity=town.names.identity(sex),
            can_work=works,
            by=clerk,
            now=now,
        )


def _status(
    session: Session, key: int, home: Home, clerk: Actor, chance: Random, now: datetime
) -> None:
    unstable = chance.random() < 0.05
    record_status(
        session,
        key,
        lifted=True,
        monitor_type=MonitorType.UNSTABLE if unstable else MonitorType.NONE,
        risk_status=RiskStatus.OPEN if unstable and home.number % 2 else RiskStatus.NONE,
        as_of=_as_of(now),
        source=SOURCE,
        by=clerk,
        now=now,
    )


def _as_of(now: datetime) -> date:
    """The last autumn's list that is out."""
    today = business_day(now)
    listed = today.replace(month=9, day=30)
    return listed if listed <= today else listed.replace(year=today.year - 1)


def _consents(
    town: Town, session: Session, key: int, home: Home, clerk: Actor, chance: Random, now: datetime
) -> None:
    village = next(each.name for each in tables.villages() if each.code == home.village)
    alias = f"{village} {home.surname}师傅"
    day = business_day(now)
    signed = paper(town.services.storage)
    give_consent(
        session, key, purpose=ConsentPurpose.ALIAS, content=alias, given_on=day, evidence=signed,
        by=clerk, now=now,
    )  # fmt: skip
    if chance.random() < 0.5:
        story = chance.choice(tables.words()["stories"])
        give_consent(
            session, key, purpose=ConsentPurpose.STORY, content=story, given_on=day,
            evidence=signed, by=clerk, now=now,
        )  # fmt: skip


def _sample_household(town: Town, session: Session, clerk: Actor, now: datetime) -> None:
    key = town.households[sample_home(town.homes).number]
    name = get_or_missing(session, Household, key).name
    employ(town, session, SAMPLE_VILLAGE, Role.HOUSEHOLD, 0, now, name)
    user_id = town.actor(SAMPLE_VILLAGE, Role.HOUSEHOLD).user_id
    assert user_id is not None
    give_account(session, key, user_id, by=clerk, now=now)


def settle_plots(
    town: Town, session: Session, brought: dict[tuple[int, str, int], int], now: datetime
) -> None:
    """Fields large enough for what came from them; this year's konjac stands on exactly 300 mu."""
    chance = town.chance("plots")
    clerk = town.actor("township", Role.OFFICIAL).through(Door.IMPORT)
    places = tables.words()["places"]
    for (number, crop, year), area in sorted(plan_plots(town, brought, chance).items()):
        add_plot(
            session, town.households[number], place=chance.choice(places), area_mu_100=area,
            crop=crop, year=year, by=clerk, now=now,
        )  # fmt: skip


def plan_plots(
    town: Town, brought: dict[tuple[int, str, int], int], chance: Random
) -> dict[tuple[int, str, int], int]:
    """Hundredths of a mu by household, crop and year."""
    years = range(town.span.begin.year, town.span.today.year + 1)
    areas: dict[tuple[int, str, int], int] = {}
    for home in town.homes:
        for crop in home.crops:
            most = tables.products()[crop].get("most_yield")
            if not most:
                continue
            usual = chance.randint(60, 210)
            for year in years:
                grams = brought.get((home.number, crop, year), 0)
                if year < town.span.trade.year and not grams:
                    continue
                least = grams * 115 // (most * 1000) + 10
                areas[home.number, crop, year] = max(usual, least)
    _fit_konjac(areas, town.span.today.year, KONJAC_MU_100 * town.scale)
    return areas


def _fit_konjac(areas: dict[tuple[int, str, int], int], year: int, whole: int) -> None:
    """The konjac fields of the year add up to `whole`; small changes go round the households."""
    keys = [key for key in sorted(areas) if key[1] == KONJAC and key[2] == year]
    if not keys:
        return
    total = sum(areas[key] for key in keys)
    for key in keys:
        areas[key] = max(20, areas[key] * whole // total)
    rest = whole - sum(areas[key] for key in keys)
    for place in range(abs(rest)):
        areas[keys[place % len(keys)]] += 1 if rest > 0 else -1

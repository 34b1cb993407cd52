"""Something for everybody to do today, and a few things that went wrong lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Confirmation, Lot, LotEventKind
from catalog.lots.operations import (
    add_lot_event,
    confirm_slip,
    hold_lot,
    record_slip,
    set_purchase_cap,
)
from catalog.products.models import Grade
from catalog.products.queries import purchase_price_on
from catalog.products.rules import in_season
from kernel.actors import Role
from kernel.money import Money, Price
from kernel.periods import business_day
from orders.agencies.operations import save_draft
from orders.agencies.operations.reminding import (
    ReminderChannel,
    mark_reminders_read,
    remind_unit,
)
from orders.payouts.operations import answer_objection, raise_objection
from orders.shares.operations import take_in_slips
from shop.demo import menus, rhythm, tables
from shop.demo.harvest import Load, weigh
from shop.demo.homes import sample_home
from shop.demo.menus import Grid, Parcel
from shop.demo.people import SAMPLE_SUPPLIER, SAMPLE_UNIT, SAMPLE_VILLAGE, settle_applicant
from shop.demo.recalls import drill, label_lot, recall_one, untouched
from shop.demo.tables import UnitRow
from shop.demo.town import Home, Town, at

# The sample canteen's desk: how many days ago a grid was filled in, and where it stands.
_ON_THE_DESK = (
    (50, "paid"), (43, "paid"), (36, "checked"), (17, "checked"), (13, "invoiced"),
    (9, "accepted"), (3, "shipped"), (1, "approved"), (0, "submitted"),
)  # fmt: skip
# Other units whose orders the cooperative must sign today.
_TO_SIGN = ("jg-1", "xj-sz", "yy-fy")
WORTH = 420_000


@dataclass(frozen=True, slots=True)
class Special:
    """A grid that stays at a step; `moment` is when it is submitted."""

    row: UnitRow
    key: str
    grid: Grid
    until: str
    moment: datetime


def specials(town: Town) -> list[Special]:
    """Grids made for today's desks. They are part of the plan, so their goods are brought in."""
    chance = town.chance("specials")
    rows = {row.key: row for row in tables.units()}
    now = town.services.clock()
    found = []
    for number, (ago, until) in enumerate(_ON_THE_DESK):
        moment = now - timedelta(days=ago, hours=2 + number % 3)
        found.append(_special(town, rows[SAMPLE_UNIT], 90_000 + number, moment, until, chance))
    for number, key in enumerate(_TO_SIGN):
        moment = now - timedelta(hours=9 + 2 * number)
        found.append(_special(town, rows[key], 90_100 + number, moment, "approved", chance))
    return [each for each in found if each is not None and each.grid.day > town.span.trade]


def _special(
    town: Town, row: UnitRow, number: int, moment: datetime, until: str, chance: Random
) -> Special | None:
    day = business_day(moment)
    deliver_on = None
    if until == "shipped":
        # It arrived this morning and is being weighed.
        deliver_on = business_day(town.services.clock() - timedelta(hours=8))
    elif until in ("approved", "submitted"):
        deliver_on = rhythm.working_days_after(town.span.today, 1)
    worth = rhythm.near(chance, WORTH, 0.4)
    grid = menus.grid_on(row, number, day, worth, chance, deliver_on)
    return Special(row, row.key, grid, until, moment) if grid else None


def parcels_of_today(town: Town) -> list[Parcel]:
    """Ordered since yesterday and not yet sent; the first of them by our sample citizen."""
    chance = town.chance("parcels of today")
    found = []
    for number in range(6):
        day = town.span.today - timedelta(days=number // 4)
        lines = menus.basket_on(day, chance)
        if lines:
            found.append(Parcel(99_000_000 + number, day, number % 4, lines))
    return found


def asked_for_money_back(town: Town) -> list[Parcel]:
    """Received a few days ago, with something to complain about that nobody has answered yet."""
    day = town.span.today - timedelta(days=9)
    offered = [
        pack
        for pack in tables.packs("citizens")
        if pack.supplier == SAMPLE_SUPPLIER and tables.to_be_had(pack.product, day)
    ]
    return [Parcel(98_000_000, day, 5, ((offered[0], 2),))] if offered else []


def plan_today(town: Town) -> None:
    """Slips, lots, tests, a recall, reminders, questions, a draft, an applicant."""
    today, now = town.span.today, town.services.clock()
    town.plan(now - timedelta(minutes=50), _slips_waiting, town)
    town.plan(now - timedelta(minutes=8), _at_another_price, town)
    town.plan(at(today - timedelta(days=3), 7, 5), _expires_tomorrow, town)
    for ago in range(28, 0, -1):
        town.plan(at(today - timedelta(days=ago), 15, 30), _test_lots, town)
    town.plan(at(today - timedelta(days=38), 11, 20), recall_one, town)
    town.plan(at(today - timedelta(days=12), 9, 10), drill, town)
    town.plan(at(today - timedelta(days=1), 17, 10), _hold, town)
    town.plan(at(today - timedelta(days=2), 10, 30), settle_applicant, town)
    town.plan(now - timedelta(hours=20), _draft, town)
    for ago, key, channel, text in _REMINDERS:
        moment = at(today - timedelta(days=ago), 10, 15)
        town.plan(moment, _remind, town, key, channel, text)
    _plan_questions(town)


_REMINDERS = (
    (70, "xj-tj", ReminderChannel.MESSAGE, "贵校今年尚未下单，请尽快安排食堂采购。"),
    (35, "xj-tj", ReminderChannel.PHONE_CALL, "已与总务处通话，答复十月底前下第一单。"),
    (8, "xj-tj", ReminderChannel.MESSAGE, "预留 2.60 万元尚无一笔，年底将近，请今天确认采购计划。"),
    (20, "jt-zf", ReminderChannel.MESSAGE, "贵单位今年尚未采购，请按填报份额安排。"),
    (12, "jd-zb", ReminderChannel.PHONE_CALL, "提醒九月以来没有新订单，对方称食堂改造，下周恢复。"),
)  # fmt: skip


def _remind(
    town: Town, key: str, channel: ReminderChannel, text: str, session: Session, now: datetime
) -> None:
    district = town.actor("district", Role.DISTRICT)
    unit = town.units[key]
    remind_unit(session, unit, channel=channel, text=text, by=district, now=now)
    if key == "xj-tj":
        read = now + timedelta(hours=5)
        mark_reminders_read(session, unit, by=town.actor(key, Role.BUYER), now=read)


def _goods_of_today(town: Town) -> list[str]:
    """What the sample cooperative takes in at this time of the year."""
    codes = [
        code
        for code, row in tables.products().items()
        if row["supplier"] == SAMPLE_SUPPLIER and row.get("buys")
        and in_season(row["harvest"], town.span.today)
    ]  # fmt: skip
    return codes[:3]


def _growers(town: Town, code: str) -> list[Home]:
    return [home for home in town.homes if code in home.crops]


def _slips_waiting(town: Town, session: Session, now: datetime) -> None:
    """Two that the households must still confirm, two that wait for the storekeeper."""
    chance = town.chance("slips")
    weigher = town.actor(SAMPLE_SUPPLIER, Role.WEIGHER)
    codes = _goods_of_today(town)
    for number in range(4):
        code = codes[number % len(codes)]
        homes = _growers(town, code)
        home = sample_home(town.homes) if number == 0 and code == "R01" else chance.choice(homes)
        load = Load(home, chance.randint(700, 1_500) * 100 if code != "E01" else 42_000)
        moment = now + timedelta(minutes=7 * number)
        slip = weigh(town, session, code, "first", load, f"today-{number}", chance, moment)
        if number in (1, 3):
            confirm_slip(
                session, slip.id, confirmation=Confirmation.SIGNATURE, confirmed_by="本人",
                by=weigher, now=moment + timedelta(minutes=2),
            )  # fmt: skip


def _at_another_price(town: Town, session: Session, now: datetime) -> None:
    """One slip for the household to confirm and the manager to look at, and the year's cap."""
    weigher = town.actor(SAMPLE_SUPPLIER, Role.WEIGHER)
    code = _goods_of_today(town)[0]
    home = _growers(town, code)[0]
    published = purchase_price_on(session, town.products[code], Grade.FIRST, town.span.today)
    if published is None:
        return
    record_slip(
        session,
        supplier_id=town.suppliers[SAMPLE_SUPPLIER],
        household_id=town.households[home.number],
        product_id=town.products[code],
        grade=Grade.FIRST,
        gross_g=62_400,
        tare_g=2_400,
        deduction_bp=200,
        device=f"{SAMPLE_SUPPLIER}-01",
        device_seq="today-price",
        weighed_at=now,
        asked_price=Price(published.price.per_unit + 2_000),
        reason="个头整齐，客商点名要，按特级收",
        by=weigher,
        now=now,
    )
    set_purchase_cap(
        session, town.suppliers[SAMPLE_SUPPLIER], year=town.span.today.year,
        amount=Money(60_000_00), resolution=f"水联决〔{town.span.today.year}〕07 号",
        by=town.actor(SAMPLE_SUPPLIER, Role.MANAGER), now=now,
    )  # fmt: skip


def _expires_tomorrow(town: Town, session: Session, now: datetime) -> None:
    """What nobody has ordered yet and nobody can sell after tomorrow."""
    chance = town.chance("expiring")
    weigher = town.actor(SAMPLE_SUPPLIER, Role.WEIGHER)
    for code in _goods_of_today(town)[:2]:
        slips = []
        for number, home in enumerate(chance.sample(_growers(town, code), 2)):
            key = f"expiring-{code}-{number}"
            moment = now + timedelta(minutes=4 * number)
            slip = weigh(
                town, session, code, "first", Load(home, chance.randint(60, 120) * 1000), key,
                chance, moment,
            )  # fmt: skip
            confirm_slip(
                session, slip.id, confirmation=Confirmation.FINGERPRINT, confirmed_by="本人",
                by=weigher, now=moment + timedelta(minutes=1),
            )  # fmt: skip
            slips.append(slip.id)
        take_in_slips(
            session,
            slips,
            supplier_id=town.suppliers[SAMPLE_SUPPLIER],
            best_before=town.span.today + timedelta(days=1),
            by=town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER),
            now=now + timedelta(minutes=40),
        )


def _test_lots(town: Town, session: Session, now: datetime) -> None:
    """What came in yesterday was tested for pesticides today, and what is large was packed."""
    keeper = town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER)
    yesterday = business_day(now) - timedelta(days=1)
    for lot in session.scalars(
        sa.select(Lot)
        .where(
            Lot.supplier_id == town.suppliers[SAMPLE_SUPPLIER],
            Lot.harvested_on == yesterday,
            Lot.certificate_no != "",
        )
        .order_by(Lot.id)
    ):
        rate = 4 + lot.id % 9
        add_lot_event(
            session, lot.id, kind=LotEventKind.TESTED, on=business_day(now),
            note_zh=f"农残速测合格，抑制率 {rate}.{lot.id % 10} %，低于 50 % 为合格",
            note_en=f"Pesticide quick test passed: inhibition {rate}.{lot.id % 10} %, below 50 %",
            by=keeper, now=now,
        )  # fmt: skip
        if lot.product_id == town.products["R01"]:
            _tell_of_radishes(town, session, lot, yesterday, now)


def _tell_of_radishes(town: Town, session: Session, lot: Lot, day: date, now: datetime) -> None:
    keeper = town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER)
    label_lot(town, session, lot, now)
    for kind, on, zh, en in (
        (LotEventKind.SOWN, day - timedelta(days=72), "航天选育的种子，坡地点播，底肥是腐熟的牛粪",
         "Seed that was in space, sown by hand on the slope, with rotted cow dung"),
        (LotEventKind.PACKED, day + timedelta(days=1), "水市社区分拣点装箱，剔出等外另放",
         "Packed at the sorting point of Shuishi; what is out of grade is kept apart"),
    ):  # fmt: skip
        add_lot_event(session, lot.id, kind=kind, on=on, note_zh=zh, note_en=en, by=keeper, now=now)


def _hold(town: Town, session: Session, now: datetime) -> None:
    lot = untouched(town, session, business_day(now))
    if lot is not None:
        keeper = town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER)
        hold_lot(session, lot.id, reason="外包装受潮，复检后再发", by=keeper, now=now)


def _draft(town: Town, session: Session, now: datetime) -> None:
    """Next week's grid, begun yesterday."""
    day = rhythm.working_days_after(town.span.today, 4)
    packs = [
        pack for pack in tables.packs("canteens") if tables.to_be_had(pack.product, town.span.today)
    ]
    chance = town.chance("draft")
    lines = {
        town.packs[pack.product, pack.position]: pack.grams * chance.choice((1, 2, 4, 8))
        for pack in packs[:20]
    }
    save_draft(
        session, town.units[SAMPLE_UNIT], title=f"{day.month} 月 {day.day} 日那一周",
        deliver_on=day, lines=lines, by=town.actor(SAMPLE_UNIT, Role.BUYER), now=now,
    )  # fmt: skip


def _plan_questions(town: Town) -> None:
    today = town.span.today
    for ago, text in (
        (48, "十月初那车萝卜扣了杂，想知道按多少扣的。"),
        (1, "这个月的返利比上个月少，想问是怎么算的。"),
    ):
        moment = at(today - timedelta(days=ago), 19, 20)
        town.plan(moment, _ask, town, text)


def _ask(town: Town, text: str, session: Session, now: datetime) -> None:
    """Our sample household asks; what it asked long ago was answered."""
    key = town.households[sample_home(town.homes).number]
    by = town.actor(SAMPLE_VILLAGE, Role.HOUSEHOLD)
    asked = raise_objection(session, key, text=text, by=by, now=now)
    if business_day(now) < town.span.today - timedelta(days=7):
        accountant = town.actor(SAMPLE_SUPPLIER, Role.ACCOUNTANT)
        answer = "扣杂按 2 % 计，已当面复核磅单，数目无误。"
        later = now + timedelta(days=2)
        answer_objection(session, asked.id, answer=answer, by=accountant, now=later)

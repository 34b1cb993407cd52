"""What is measured on: many products with goods of many households, and orders of the past.

Made through the operations themselves, like everything else; the same numbers make the same town.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from catalog.households.models import Household
from catalog.products.models import Category, Pack, Shelf
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import COMMAND
from kernel.db import Database, Work
from orders.payments import operations as payments
from orders.sales import operations as sales
from orders.sales.models import BuyerKind, OrderState
from tests import makers

VILLAGES = (makers.DASHAN, makers.QINGLONG, makers.MAOXI)
CATEGORIES = (
    ("蔬菜", "Vegetables"), ("魔芋", "Konjac"), ("茶", "Tea"), ("粮油", "Grain and oil"),
    ("肉禽", "Meat"), ("干货", "Dried goods"),
)  # fmt: skip
WHENCE = (
    ("高山", "Highland"), ("坡地", "Hillside"), ("溪边", "Brookside"), ("晨露", "Morning"),
    ("霜后", "After-frost"), ("林下", "Woodland"), ("老寨", "Old-village"), ("云雾", "Misty"),
    ("向阳", "Sunny"), ("石板", "Flagstone"), ("冬藏", "Winter-kept"), ("头茬", "First-cut"),
    ("手工", "Handmade"), ("柴火", "Wood-fired"), ("古法", "Old-way"), ("生态", "Natural"),
)  # fmt: skip
WHAT = (
    ("太空萝卜", "space radish"), ("魔芋粉", "konjac flour"), ("红茶", "red tea"),
    ("山茶油", "tea-seed oil"), ("大白菜", "cabbage"), ("糯米", "glutinous rice"),
    ("腊肉", "smoked pork"), ("黄牛肉", "beef"), ("香菇干", "dried mushrooms"),
    ("红薯粉丝", "sweet-potato noodles"), ("土鸡蛋", "eggs"), ("萝卜干", "dried radish"),
    ("鲜笋", "bamboo shoots"), ("紫苏", "perilla"), ("花生", "peanuts"), ("绿豆", "mung beans"),
)  # fmt: skip
FORM = (
    ("", ""), ("家庭装", ", family pack"), ("礼盒", ", gift box"), ("散装", ", loose"),
    ("小包装", ", small pack"), ("精选", ", selected"), ("三年", ", third year"),
    ("整箱", ", crate"),
)  # fmt: skip

HOUSEHOLDS, SUPPLIERS, LOTS_EACH, AT_ONCE = 400, 8, 2, 50
EACH_HARVEST_G = 4_000_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    products: int = 2_000
    orders: int = 4_000


def name_of(number: int) -> tuple[str, str]:
    """Chinese and English, each number its own as far as there are combinations."""
    form, rest = number % len(FORM), number // len(FORM)
    what, whence = rest % len(WHAT), rest // len(WHAT) % len(WHENCE)
    more = number // (len(FORM) * len(WHAT) * len(WHENCE))
    zh = WHENCE[whence][0] + WHAT[what][0] + FORM[form][0] + (str(more + 1) if more else "")
    en = f"{WHENCE[whence][1]} {WHAT[what][1]}{FORM[form][1]}" + (f" {more + 1}" if more else "")
    return zh, en


def build(database: Database, size: Size, *, now: datetime, say: Say) -> None:
    """Into an empty, current database."""
    with _arranging(database, now) as session:
        sellers = [makers.supplier(session, code=f"B{n}").id for n in range(SUPPLIERS)]
        shelves = [
            makers.category(session, zh, en, slug=f"c{n}").id
            for n, (zh, en) in enumerate(CATEGORIES)
        ]
        homes = [
            makers.household(
                session, f"样本户{chr(0x4E00 + n)}", region_code=VILLAGES[n % len(VILLAGES)]
            ).id
            for n in range(min(HOUSEHOLDS, size.products * 2))
        ]
    for begin in range(0, size.products, AT_ONCE):
        with _arranging(database, now) as session:
            for number in range(begin, min(begin + AT_ONCE, size.products)):
                _product(session, number, sellers, shelves, homes, now)
        say(f"{min(begin + AT_ONCE, size.products)} of {size.products} products")
    chance = Random(20_260_101)
    with database.reading() as session:
        packs = session.scalars(
            select(Pack.id).where(Pack.shelf == Shelf.CITIZENS).order_by(Pack.id)
        ).all()
    for begin in range(0, size.orders, AT_ONCE):
        with _arranging(database, now) as session:
            for _ in range(min(AT_ONCE, size.orders - begin)):
                _order(session, chance.sample(packs, 2), now)
        if begin % 500 == 0:
            say(f"{begin} of {size.orders} orders")


def scarce(database: Database, *, units: int, now: datetime) -> int:
    """One more product of which there are just so many packs; the pack's id."""
    with _arranging(database, now) as session:
        made = makers.sold_product(session, nets=(), name_zh="最后几箱", slug="last-boxes")
        makers.stock(session, made, [units * 5000], at=now - timedelta(hours=1))
        return makers.pack_of(made).id


def _product(
    session: Work,
    number: int,
    sellers: Sequence[int],
    shelves: Sequence[int],
    homes: Sequence[int],
    now: datetime,
) -> None:
    zh, en = name_of(number)
    made = makers.product(
        session,
        session.get_one(Supplier, sellers[number % len(sellers)]),
        category_=session.get_one(Category, shelves[number % len(shelves)]),
        on_sale=True,
        packs=[{}, {"shelf": Shelf.CANTEENS}],
        name_zh=zh,
        name_en=en,
        slug=f"goods-{number}",
        code=f"G{number}",
        shelf_life_days=300,
    )
    makers.rule(session, made)
    for lot in range(LOTS_EACH):
        growers = [
            session.get_one(Household, homes[(number * 7 + lot * 3 + k) % len(homes)])
            for k in range(2)
        ]
        at = now - timedelta(days=1 + lot)
        makers.stock(session, made, [EACH_HARVEST_G] * 2, at=at, households_=growers)


def _order(session: Work, packs: Sequence[int], now: datetime) -> None:
    placed = sales.place_order(
        session,
        sales.Placing(
            lines=[sales.Wanted(pack_id=each, count=1) for each in sorted(packs)],
            buyer_kind=BuyerKind.CITIZEN,
            contact=makers.contact(),
            request_key=f"bench:{next(_serial)}",
            state=OrderState.AWAITING_PAYMENT,
            hold_until=now + timedelta(minutes=15),
        ),
        by=COMMAND,
        now=now,
    )
    payment = payments.start_payment(session, placed.id, by=COMMAND, now=now)
    makers.pay(session, payment, now=now)


_serial = itertools.count(1)


@contextmanager
def _arranging(database: Database, now: datetime) -> Iterator[Work]:
    """One committed transaction in which the town is made."""
    with database.transaction() as session:
        audit.note(session, "arrange", "bench", by=COMMAND, now=now)
        yield session

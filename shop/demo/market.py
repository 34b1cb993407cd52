"""Prices seen elsewhere, tiers and an agreed list, and what waits on the operator's desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from catalog.products import operations
from catalog.products.models import Audience, Pack, ReferenceSource, RejectReason
from kernel.actors import Role
from kernel.money import Price
from kernel.periods import business_day
from shop.demo.town import Town

# Product → what a canteen's kilogram costs at the market, in two supermarkets, at a neighbour's.
SEEN = {
    "R01": ("5.40", "7.20", "5.80"),
    "V03": ("3.20", "4.40", "3.50"),
    "V01": ("2.90", "3.90", "3.10"),
    "V07": ("4.60", "6.00", "4.80"),
    "V08": ("5.40", "7.00", "5.60"),
    "V09": ("5.90", "7.60", "6.20"),
    "V10": ("10.20", "13.60", "10.80"),
    "V05": ("2.60", "3.60", "2.70"),
    "P01": ("29.00", "36.00", "30.50"),
    "E01": ("17.50", "21.80", "18.40"),
}
PLACES = (
    (ReferenceSource.WHOLESALE, "正阳农产品批发市场"),
    (ReferenceSource.SUPERMARKET, "城西重百超市"),
    (ReferenceSource.NEIGHBOURS, "邻镇合作社"),
)


def open_market(town: Town, session: Session, now: datetime) -> None:
    """The last thing of the sample's story, so that no order of it is priced otherwise."""
    _write_prices(town, session, now)
    _agree(town, session, now)
    _propose(town, session, now)


def _write_prices(town: Town, session: Session, now: datetime) -> None:
    today = business_day(now)
    official = town.actor("township", Role.OFFICIAL)
    seen = [
        operations.Seen(
            town.products[code],
            source,
            place,
            # A month ago everything cost a little less.
            Price(_hundredths(price) * (100 - 3 * weeks // 4) // 100 // 100 * 100),
            today - timedelta(days=7 * weeks + 2),
        )
        for weeks in (4, 0)
        for code, prices in SEEN.items()
        for (source, place), price in zip(PLACES, prices, strict=True)
    ]
    operations.record_references(session, seen, by=official, now=now)
    operations.note_measure(
        session, town.products["V08"],
        text="11 月霜冻减产，已约谈合作社，下月复核", by=official, now=now,
    )  # fmt: skip


def _hundredths(yuan: str) -> int:
    whole, rest = yuan.split(".")
    return int(whole) * 10_000 + int(rest) * 100


def _agree(town: Town, session: Session, now: datetime) -> None:
    """Tiers for the radish; a list for schools that begins with the new month."""
    manager = town.actor("SS", Role.MANAGER)
    today = business_day(now)
    change = partial(operations.change_price, session, by=manager, now=now)
    box, loose, cabbage = (
        session.get_one(Pack, town.packs[key]) for key in (("R01", 1), ("R01", 3), ("V03", 1))
    )
    if box.price is not None:
        change(box.id, value=box.price.fen, steps=[(3 * box.content, box.price.fen - 200)])
    if loose.unit_price is not None:
        base = loose.unit_price.per_unit
        change(loose.id, value=base, steps=[(200_000, base - 2_000), (500_000, base - 4_000)])
    begin = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    operations.agree_prices(
        session,
        town.suppliers["SS"],
        name="中小学协议价",
        agreement="水联协〔2026〕07号",
        prices={
            loose.id: operations.Agreed(Price(56_000), ((300_000, 53_000),)),
            cabbage.id: operations.Agreed(Price(33_000)),
        },
        audience=Audience.SCHOOL,
        valid_from=begin,
        valid_to=begin + timedelta(days=180),
        by=manager,
        now=now,
    )


def _propose(town: Town, session: Session, now: datetime) -> None:
    """One change waits for the operator, another came back."""
    manager = town.actor("SS", Role.MANAGER)
    operator = town.actor("platform", Role.OPERATOR)
    pumpkin, radish = town.products["V05"], town.products["R01"]
    operations.save_version(
        session, pumpkin,
        {"summary_zh": "城里人说的贝贝南瓜，一个够两个人蒸。", "story_zh": "六月移栽，霜前收完。"},
        by=manager, now=now,
    )  # fmt: skip
    version = operations.submit_version(session, pumpkin, by=manager, now=now)
    operations.return_version(
        session, version.id, edition=version.edition,
        reasons=[RejectReason.PICTURE_MISMATCH],
        remark="图上是长南瓜，文字写的是贝贝南瓜，请改成一致。", by=operator, now=now,
    )  # fmt: skip
    operations.save_version(
        session,
        radish,
        {
            "summary_zh": "种子上过太空，落在九百多米的坡上。霜后更甜，生吃脆，炖汤一刻钟就化渣。",
            "packs": [
                {
                    "shelf": "citizens", "grade": "first", "name_zh": "2.5 kg 尝鲜装",
                    "name_en": "Taster of 2.5 kg", "content": 2_500, "value": 1_900, "steps": [],
                }
            ],
        },
        by=manager,
        now=now,
    )  # fmt: skip
    operations.submit_version(session, radish, by=manager, now=now)

"""What the macros need to draw figures and to write addresses; registered as template globals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from urllib.parse import urlencode

from flask import Flask, request
from flask_babel import gettext as _

from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.sharing import half_up
from kernel.web.i18n import in_chinese, say

_MONTHS_ZH = [
    "一月",
    "二月",
    "三月",
    "四月",
    "五月",
    "六月",
    "七月",
    "八月",
    "九月",
    "十月",
    "十一月",
    "十二月",
]
_MONTHS_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_JIAO = ["一角", "二角", "三角", "四角", "五角", "六角", "七角", "八角", "九角", "一元"]


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        address_with=address_with,
        address_without=address_without,
        day_of_month=day_of_month,
        fen_of=fen_of,
        half_price=half_price,
        jiao_words=jiao_words,
        in_words=in_words,
        named=named,
        season_words=season_words,
        month_name=month_name,
        pairs=pairs,
        rate=rate,
        ten_jiao=ten_jiao,
        wan_words=wan_words,
        whole_fen=whole_fen,
        yuan_words=yuan_words,
    )


def pairs(options: type[Labelled] | Iterable[tuple[object, str]]) -> list[tuple[object, str]]:
    """(value, words) of a class of labelled values; pairs stay as they are."""
    if isinstance(options, type):
        return [(each.value, say(each)) for each in options]
    return list(options)


def rate(part: Money, whole: Money | None) -> Fraction | None:
    """The share of a target; of no target there is none."""
    return Fraction(part.fen, whole.fen) if whole else None


def yuan_words(amount: Money | None) -> str:
    """`96,000.00 yuan`, for the words beside a bar."""
    if amount is None:
        return "—"
    words: str = _("%(amount)s yuan", amount=str(amount).replace("¥", ""))
    return words


def wan_words(amount: Money | None) -> str:
    """`236.00 万元` for a reader of Chinese, plain yuan for others."""
    if amount is None or not in_chinese():
        return yuan_words(amount)
    return str(Money(half_up(amount.fen, 10_000))).replace("¥", "") + " 万元"


def fen_of(part: Money, whole: Money, decimals: int = 2) -> str:
    """How many fen of each yuan a part is: `64.83 fen`."""
    if not whole:
        return "—"
    scaled = half_up(part.fen * 100 * 10**decimals, whole.fen)
    sign = "−" if scaled < 0 else ""
    units, rest = divmod(abs(scaled), 10**decimals)
    number = f"{sign}{units}" + (f".{rest:0{decimals}}" if decimals else "")
    return f"{number} 分" if in_chinese() else f"{number} fen"


def ten_jiao() -> list[str]:
    """The marks of the ruler."""
    return _JIAO if in_chinese() else [f"¥0.{n}0" for n in range(1, 10)] + ["¥1.00"]


def month_name(month: int) -> str:
    return (_MONTHS_ZH if in_chinese() else _MONTHS_EN)[month - 1]


def address_with(**changes: object) -> str:
    """This page's address with some of its query changed; None takes a value away."""
    values = [
        (key, value)
        for key, value in request.args.items(multi=True)
        if key not in changes and value
    ]
    values += [(key, str(value)) for key, value in changes.items() if value is not None]
    return request.path + (f"?{urlencode(values)}" if values else "")


def address_without(names: Iterable[str]) -> str:
    """This page's address without some of its query, on its first page."""
    return address_with(**dict.fromkeys([*names, "page"]))


_DIGITS = "零一二三四五六七八九十"


def day_of_month(day: date) -> str:
    """11月8日 / 8 Nov: the day without its year."""
    if in_chinese():
        return f"{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS_EN[day.month - 1]}"


def season_words(begin: str, end: str) -> str:
    """10月15日–12月25日 / 15 Oct–25 Dec, of two month-days such as `10-15`."""
    days = [date(2024, int(each[:2]), int(each[3:])) for each in (begin, end)]
    return "–".join(day_of_month(each) for each in days)


def half_price(price: Price) -> str:
    """Yuan per jin (500 g) of a price per kilogram, two decimals, half up."""
    return Money(half_up(price.per_unit, 200)).yuan


def whole_fen(price: Price) -> str:
    """Yuan per kg or piece with two decimals, half up: what a pack's price comes to."""
    return str(Money(half_up(price.per_unit, 100))).replace("¥", "")


def in_words(number: int) -> str:
    """Small numbers as a headline says them: 八, 十二, 四十; digits in English."""
    if not in_chinese() or not 0 <= number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    if number <= 10:
        return _DIGITS[number]
    return (_DIGITS[tens] if tens > 1 else "") + "十" + (_DIGITS[ones] if ones else "")


def jiao_words(part: Money, whole: Money) -> str:
    """What a part is of each yuan, as one says it: 六角五分, 65 fen."""
    fen = half_up(part.fen * 100, whole.fen) if whole.fen > 0 else 0
    if not in_chinese():
        english: str = _("%(n)s fen", n=fen)
        return english
    jiao, rest = divmod(max(fen, 0), 10)
    words = (f"{_DIGITS[jiao]}角" if jiao else "") + (f"{_DIGITS[rest]}分" if rest else "")
    return words or "不到一分"


def named(thing: object, field: str = "name") -> str:
    """`name_zh` or `name_en` in the reader's language; Chinese where English is empty."""
    chinese: str = getattr(thing, f"{field}_zh")
    english: str = getattr(thing, f"{field}_en")
    return chinese if in_chinese() or not english else english

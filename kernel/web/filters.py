"""How figures, days and states look on a page. Every number has its unit where it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import TypeVar

from flask import Flask

from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.periods import SHANGHAI, business_day
from kernel.quantities import BaseUnit, kilograms
from kernel.sharing import half_up
from kernel.web import i18n
from kernel.web.drawing import day_of_month

NOTHING = "—"
T = TypeVar("T")


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        money=money,
        yuan=yuan,
        wan=wan,
        price=price,
        kg=kg,
        jin=jin,
        quantity=quantity,
        percent=percent,
        day=_or_nothing(i18n.day),
        day_short=day_short,
        moment=_or_nothing(i18n.moment),
        clock=clock,
        month_day=month_day,
        iso=iso,
        label=label,
        t=i18n.say,
        first=first,
    )


def first(values: Iterable[T]) -> T | None:
    """None of an empty list, where Jinja's own would answer something that cannot be asked."""
    return next(iter(values), None)


def money(amount: Money | None) -> str:
    """¥1,176.00"""
    return NOTHING if amount is None else str(amount)


def yuan(amount: Money | None) -> str:
    """1176.00, for form fields and files; nothing stays nothing."""
    return "" if amount is None else amount.yuan


def wan(amount: Money | None) -> str:
    """Ten thousands of yuan with two decimals, without the unit: 84.65"""
    if amount is None:
        return NOTHING
    hundredths = half_up(amount.fen, 10_000)
    sign = "−" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100:,}.{abs(hundredths) % 100:02}"


def price(value: Price | None) -> str:
    """Yuan per kg or piece: 4.70"""
    return NOTHING if value is None else value.yuan


def kg(grams: int | None) -> str:
    """12 500 g → 12.5"""
    return NOTHING if grams is None else kilograms(grams, 0)


def jin(grams: int | None) -> str:
    """12 500 g → 25 (斤)"""
    return NOTHING if grams is None else kilograms(grams * 2, 0)


def quantity(amount: int | None, unit: BaseUnit) -> str:
    """With its unit: 12.5 kg, 30 件"""
    if amount is None:
        return NOTHING
    if unit is BaseUnit.GRAM:
        return f"{kg(amount)} kg"
    return f"{amount:,} 件" if i18n.in_chinese() else f"{amount:,} pc"


def percent(share: Fraction | int | None, decimals: int = 2) -> str:
    """From a ratio, or from whole basis points: 35.87 %. What cannot be said is —."""
    if share is None:
        return NOTHING
    ratio = share if isinstance(share, Fraction) else Fraction(share, 10_000)
    scale = 10**decimals
    scaled = half_up(ratio.numerator * 100 * scale, ratio.denominator)
    sign = "−" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled), scale)
    return f"{sign}{whole}" + (f".{rest:0{decimals}}" if decimals else "") + " %"


def day_short(value: date | datetime | None) -> str:
    """11-23"""
    if value is None:
        return NOTHING
    return f"{business_day(value) if isinstance(value, datetime) else value:%m-%d}"


def month_day(value: datetime) -> str:
    """11月23日 / 23 Nov, in Shanghai."""
    return day_of_month(business_day(value))


def clock(value: datetime) -> str:
    """08:20, in Shanghai."""
    return f"{value.astimezone(SHANGHAI):%H:%M}"


def iso(value: date | datetime | None) -> str:
    """2026-11-23, for date fields and `<time datetime>`."""
    if value is None:
        return ""
    return (business_day(value) if isinstance(value, datetime) else value).isoformat()


def label(value: Labelled | None) -> str:
    """The word of a state or kind."""
    return NOTHING if value is None else i18n.say(value)


def _or_nothing(show: object) -> object:
    def shown(value: date | datetime | None) -> str:
        assert callable(show)
        return NOTHING if value is None else str(show(value))

    return shown

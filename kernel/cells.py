"""What stands in one cell of a table that people made → a plain value, forgiving of its form.

A reader takes the raw cell (text from a csv file, a number, a day or text from Excel) and the unit
its heading names, and answers the value or raises Unreadable with one sentence for whoever filled
the cell in. Numbers leave the floats of Excel at once: 15 digits, as Excel itself shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from kernel.errors import Text
from kernel.labels import Labelled
from kernel.money import Money, Price, parse_money
from kernel.quantities import BaseUnit, kilograms, parse_quantity
from kernel.speech import say_in
from kernel.text import plain_number, tidy

Raw = object
Out = str | Decimal | int | date

_EXCEL_BEGINS = date(1899, 12, 30)
_DAY = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?(?:T?\d{1,2}:\d{2}(?::\d{2}(?:\.0+)?)?)?"
)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEARLESS = re.compile(r"\d{1,2}[-/.月]\d{1,2}[日号]?")
_SHORT_YEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})")
_SCIENCE = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_MU: dict[str, int | Fraction] = {
    "亩": 1,
    "mu": 1,
    "公顷": 15,
    "ha": 15,
    "平方米": Fraction(3, 2000),
    "m2": Fraction(3, 2000),
}
_PER_KILO: dict[str, int | Fraction] = {
    "公斤": 1,
    "千克": 1,
    "kg": 1,
    "斤": 2,
    "吨": Fraction(1, 1000),
    "t": Fraction(1, 1000),
}
# Excel keeps 15 digits of a number; whatever is longer has lost its end already.
_MOST_DIGITS = 10**15


class Unreadable(ValueError):
    """`sentence` says what is wrong with the cell and what to write instead."""

    def __init__(self, sentence: Text) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


@dataclass(frozen=True, slots=True)
class Broken:
    """A formula that ended in an error, such as `#DIV/0!`."""

    error: str


def as_text(raw: Raw) -> str:
    """The cell as its author sees it; an empty text for an empty cell."""
    if raw is None:
        return ""
    if isinstance(raw, Broken):
        raise Unreadable(
            Text("The formula in this cell ends in the error %(error)s.", error=raw.error)
        )
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, float):
        if abs(raw) >= _MOST_DIGITS:
            raise Unreadable(_CUT)
        return format(Decimal(f"{raw:.15g}"), "f")
    if isinstance(raw, datetime):
        return raw.strftime("%Y-%m-%d")
    text = tidy(str(raw))
    # Our own csv files keep programs from reading a text as a formula with an apostrophe.
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


_CUT = Text("Excel cut this number after 15 digits. Format the column as text and enter it again.")


def is_empty(raw: Raw) -> bool:
    """Whether nothing was entered: nothing, spaces, or a dash that stands for nothing."""
    return not isinstance(raw, Broken) and as_text_or_nothing(raw) in ("", "-", "—", "/", "无")


def as_text_or_nothing(raw: Raw) -> str:
    """For looking at a cell without judging it."""
    try:
        return as_text(raw)
    except Unreadable:
        return "?"


class CellType:
    """How one kind of value is read, written into a file, and said on a page."""

    number_format = ""
    width = 14

    def read(self, raw: Raw, unit: str = "") -> Any:
        raise AssertionError

    def write(self, value: Any, lang: str) -> Out:
        """What an exported cell holds; `read` gives the value back."""
        return str(value)

    def said(self, value: Any, lang: str) -> str:
        """The same for people, with its unit where it has one."""
        out = self.write(value, lang)
        return out.isoformat() if isinstance(out, date) else str(out)

    def choices(self, lang: str) -> list[str]:
        """What a drop-down offers; nothing where anything may be written."""
        return []


@dataclass(frozen=True)
class Words(CellType):
    """Some text of at most `most` characters."""

    most: int = 60
    width: int = 16

    def read(self, raw: Raw, unit: str = "") -> str:
        text = as_text(raw)
        if len(text) > self.most:
            raise Unreadable(
                Text("At most %(most)s characters; this has %(n)s.", most=self.most, n=len(text))
            )
        return text


@dataclass(frozen=True)
class Code(CellType):
    """A number that is a name: kept as text, spaces and full-width digits forgiven."""

    most: int = 30
    width: int = 18

    def read(self, raw: Raw, unit: str = "") -> str:
        if isinstance(raw, int | float) and abs(raw) >= _MOST_DIGITS:
            raise Unreadable(_CUT)
        text = plain_number(as_text(raw)).upper()
        if _SCIENCE.fullmatch(text):
            raise Unreadable(_CUT)
        if "*" in text:
            raise Unreadable(
                Text("Part of this number is hidden. Enter it whole, or leave the cell empty.")
            )
        if len(text) > self.most:
            raise Unreadable(
                Text("At most %(most)s characters; this has %(n)s.", most=self.most, n=len(text))
            )
        return text


@dataclass(frozen=True)
class Phone(Code):
    """A mobile or landline number of the country, digits only."""

    def read(self, raw: Raw, unit: str = "") -> str:
        text = super().read(raw).removeprefix("+86").replace("(", "").replace(")", "")
        digits = text.replace("-", "")
        if not re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}|400\d{7}", digits):
            raise Unreadable(Text("Enter a phone number with 11 digits, such as 13812345678."))
        return digits


@dataclass(frozen=True)
class Whole(CellType):
    """A whole number; what it counts may stand behind it (`3组`, `4人`)."""

    least: int = 0
    most: int = 10**6
    counted: str = ""
    width: int = 8
    number_format = "0"

    def read(self, raw: Raw, unit: str = "") -> int:
        text = plain_number(as_text(raw)).replace(",", "")
        text = re.sub(r"^第", "", text)
        for each in sorted(self.counted.split(), key=len, reverse=True):
            text = text.removesuffix(each)
        text = re.sub(r"\.0+$", "", text)
        if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII) or not (
            self.least <= int(text) <= self.most
        ):
            raise Unreadable(
                Text(
                    "Enter a whole number from %(least)s to %(most)s.",
                    least=self.least,
                    most=self.most,
                )
            )
        return int(text)

    def write(self, value: int, lang: str) -> int:
        return value


class Weight(CellType):
    """Grams. A number alone is in the unit of the heading, else in kilograms."""

    number_format = "0.###"
    width = 12

    def read(self, raw: Raw, unit: str = "") -> int:
        text = plain_number(as_text(raw)).lower()
        if re.fullmatch(r"[\d,]+(\.\d+)?", text):
            text += unit or "kg"
        try:
            return parse_quantity(text, BaseUnit.GRAM)
        except ValueError:
            raise Unreadable(
                Text("Enter a weight to the gram, such as 12.5 (kilograms) or 25斤.")
            ) from None

    def write(self, value: int, lang: str) -> Decimal:
        return Decimal(value) / 1000

    def said(self, value: int, lang: str) -> str:
        return f"{kilograms(value, 0)} kg"


class Area(CellType):
    """Hundredths of a mu."""

    number_format = "0.##"
    width = 10

    def read(self, raw: Raw, unit: str = "") -> int:
        text = plain_number(as_text(raw)).lower().replace("㎡", "m2").replace(",", "")
        found = re.fullmatch(r"(\d{1,7}(?:\.\d{1,6})?)(亩|mu|公顷|ha|平方米|m2)?", text)
        if not found:
            raise Unreadable(Text("Enter an area in mu, such as 1.25."))
        hundredths = Fraction(found[1]) * 100 * Fraction(_MU[found[2] or unit or "亩"])
        if hundredths.denominator != 1 and (found[2] or unit or "亩") in ("亩", "mu"):
            raise Unreadable(Text("Enter an area in mu with at most two decimals."))
        return round(hundredths)

    def write(self, value: int, lang: str) -> Decimal:
        return Decimal(value) / 100

    def said(self, value: int, lang: str) -> str:
        shown = f"{value // 100}.{value % 100:02}"
        return f"{shown} mu" if lang == "en" else f"{shown} 亩"


class PerKilo(CellType):
    """A Price per kilogram; `元/斤` in the heading or the cell is understood."""

    number_format = "0.00##"
    width = 12

    def read(self, raw: Raw, unit: str = "") -> Price:
        text = (
            plain_number(as_text(raw)).lower().replace("¥", "").replace("￥", "").replace(",", "")
        )
        found = re.fullmatch(r"(\d{1,7}(?:\.\d{1,6})?)元?(?:(?:/|每)(公斤|千克|kg|斤|吨|t))?", text)
        if not found:
            raise Unreadable(Text("Enter a price in yuan, such as 4.70."))
        value = Fraction(found[1]) * 10_000 * Fraction(_PER_KILO[found[2] or unit or "kg"])
        if value.denominator != 1 or not 0 < value < 10**10:
            raise Unreadable(Text("Enter a price in yuan, such as 4.70."))
        return Price(int(value))

    def write(self, value: Price, lang: str) -> Decimal:
        return Decimal(value.yuan)

    def said(self, value: Price, lang: str) -> str:
        return f"¥{value.yuan}/kg"


class Yuan(CellType):
    """Money in yuan: ¥, 元 and separators are understood."""

    number_format = "0.00"
    width = 12

    def read(self, raw: Raw, unit: str = "") -> Money:
        text = plain_number(as_text(raw)).replace("￥", "¥").removesuffix("元")
        try:
            return parse_money(text)
        except ValueError:
            raise Unreadable(Text("Enter an amount in yuan, such as 1176.00.")) from None

    def write(self, value: Money, lang: str) -> Decimal:
        return Decimal(value.yuan)

    def said(self, value: Money, lang: str) -> str:
        return str(value)


class Percent(CellType):
    """Basis points; `3`, `3%` and 2.5 are percent. A cell that Excel shows as 3 % holds 0.03, which
    cannot be told from three hundredths of one percent: below 1 the sign must be written."""

    width = 8

    def read(self, raw: Raw, unit: str = "") -> int:
        text = plain_number(as_text(raw))
        try:
            value = parse_money(text.rstrip("%")).fen
        except ValueError:
            value = -1
        if not 0 <= value < 10_000:
            raise Unreadable(Text("Enter a percentage, such as 2.5."))
        if 0 < value < 100 and not text.endswith("%"):
            raise Unreadable(
                Text("Below one percent, write the number with its sign, such as 0.5%.")
            )
        return value

    def write(self, value: int, lang: str) -> str:
        return f"{Decimal(value) / 100}%"


class Day(CellType):
    """A day: Excel's own, 2026-11-23, 2026/11/23, 2026.11.23, 2026年11月23日, 20261123."""

    number_format = "yyyy-mm-dd"
    width = 12

    def read(self, raw: Raw, unit: str = "") -> date:
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        return _day_of(plain_number_keeping_time(as_text(raw)))

    def write(self, value: date, lang: str) -> date:
        return value


def plain_number_keeping_time(text: str) -> str:
    return plain_number(text.replace(" ", "T", 1) if ":" in text or "：" in text else text)


def _day_of(text: str) -> date:
    if re.fullmatch(r"\d{5}(\.\d+)?", text):  # the number of a day, as Excel counts them
        return _EXCEL_BEGINS + timedelta(days=int(text.partition(".")[0]))
    found = _DAY.fullmatch(text) or _PACKED.fullmatch(text)
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            raise Unreadable(Text("There is no such day in the calendar.")) from None
    if _YEARLESS.fullmatch(text):
        raise Unreadable(Text("The year is missing. Write the day such as 2026-11-23."))
    if _SHORT_YEAR.fullmatch(text):
        raise Unreadable(Text("Write the year first and in full, such as 2026-11-23."))
    raise Unreadable(Text("Enter a date, such as 2026-11-23."))


@dataclass(frozen=True)
class Choice(CellType):
    """One of the values of an enum, by its word in either language or by another usual word."""

    kind: type[Labelled]
    also: Mapping[str, Labelled] = field(default_factory=dict)
    only: tuple[Labelled, ...] = ()
    width: int = 12

    def _values(self) -> tuple[Labelled, ...]:
        return self.only or tuple(self.kind)

    def read(self, raw: Raw, unit: str = "") -> Labelled:
        asked = plain_number(as_text(raw)).lower()
        for value in self._values():
            if asked in {
                plain_number(word).lower()
                for word in (say_in(value, "zh"), say_in(value, "en"), str(value.value))
            }:
                return value
        if asked in self.also:
            return self.also[asked]
        raise Unreadable(Text("Write one of: %(words)s.", words=list(self._values())))

    def write(self, value: Labelled, lang: str) -> str:
        return say_in(value, lang)

    def choices(self, lang: str) -> list[str]:
        return [say_in(each, lang) for each in self._values()]


class Flag(CellType):
    """Yes or no."""

    width = 8

    def read(self, raw: Raw, unit: str = "") -> bool:
        asked = plain_number(as_text(raw)).lower()
        if asked in ("是", "有", "对", "√", "✓", "✔", "y", "yes", "1", "true"):
            return True
        if asked in ("否", "没有", "不", "不是", "×", "x", "n", "no", "0", "false"):
            return False
        raise Unreadable(Text("Write 是 or 否 (yes or no)."))

    def write(self, value: bool, lang: str) -> str:
        return ("yes" if value else "no") if lang == "en" else ("是" if value else "否")

    def choices(self, lang: str) -> list[str]:
        return [self.write(True, lang), self.write(False, lang)]

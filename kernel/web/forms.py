"""Reading what people typed: forgiving in form, exact in meaning, all mistakes said at once."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TypeVar

from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money, Price, parse_money, parse_price
from kernel.quantities import BaseUnit, parse_quantity
from kernel.text import plain_number, tidy

E = TypeVar("E", bound=enum.Enum)

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|400\d{7}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


class Fields:
    """The fields of one form. Ask for each by its kind, then `done()`.

    A field that cannot be read is remembered with what to do about it and answers a neutral
    value, so that every mistake is found; `done()` then raises Invalid with all of them. A field
    that may be left out is asked for only if `has(name)`.
    """

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.errors: dict[str, Text] = {}

    def done(self) -> None:
        """Raises Invalid if anything was wrong."""
        if self.errors:
            raise Invalid(self.errors)

    def refuse(self, name: str, sentence: Text) -> None:
        """Say of a field what is wrong with it; the first remark stays."""
        self.errors.setdefault(name, sentence)

    def has(self, name: str) -> bool:
        """Whether anything was entered."""
        return bool(tidy(self._form.get(name, "")))

    def text(self, name: str, *, most: int = 200, required: bool = True) -> str:
        """One tidied text of at most `most` characters; may hold line breaks."""
        value = tidy(self._form.get(name, "").replace("\r\n", "\n"))
        if not value and required:
            self.refuse(name, Text("Please fill this in."))
        if len(value) > most:
            self.refuse(
                name,
                Text("At most %(most)s characters; this has %(n)s.", most=most, n=len(value)),
            )
        return value

    def money(self, name: str, *, least: Money = Money(1), most: Money = Money(10**13)) -> Money:  # noqa: B008  frozen
        """Yuan with at most two decimals, such as 1,176.00."""
        try:
            value = parse_money(self._number(name))
        except ValueError:
            self.refuse(name, Text("Enter an amount in yuan, such as 1176.00."))
            return ZERO
        if value < least:
            self.refuse(name, Text("Enter at least %(least)s.", least=least))
        if value > most:
            self.refuse(name, Text("Enter at most %(most)s.", most=most))
        return value

    def price(self, name: str) -> Price:
        """Yuan per kilogram or piece with at most four decimals."""
        try:
            value = parse_price(self._number(name))
        except ValueError:
            value = Price(0)
        if not 0 < value.per_unit < 10**10:
            self.refuse(name, Text("Enter a price in yuan, such as 4.70."))
        return value

    def quantity(self, name: str, unit: BaseUnit, *, least: int = 1, most: int = 10**9) -> int:
        """Base units: `12.5` means kilograms, `25斤` is understood; pieces are whole."""
        try:
            value = parse_quantity(self._number(name), unit)
        except ValueError:
            value = -1
        if not least <= value <= most:
            self.refuse(
                name,
                Text("Enter a weight in kilograms, such as 12.5.")
                if unit is BaseUnit.GRAM
                else Text("Enter a whole number of pieces, such as 12."),
            )
            return 0
        return value

    def whole(self, name: str, *, least: int = 0, most: int = 10**9) -> int:
        """A whole number."""
        typed = self._number(name).replace(",", "")
        value = int(typed) if re.fullmatch(r"[+-]?\d{1,15}", typed, re.ASCII) else None
        if value is None or not least <= value <= most:
            self.refuse(
                name,
                Text("Enter a whole number from %(least)s to %(most)s.", least=least, most=most),
            )
            return least
        return value

    def percent(self, name: str, *, most_bp: int = 10_000) -> int:
        """Basis points from a percentage with at most two decimals: `2.5` is 250."""
        try:
            value = parse_money(self._number(name).rstrip("%")).fen
        except ValueError:
            value = -1
        if not 0 <= value <= most_bp:
            self.refuse(name, Text("Enter a percentage, such as 2.5."))
            return 0
        return value

    def date(self, name: str, *, least: date | None = None, most: date | None = None) -> date:
        """A day: 2026-11-23, 2026/11/23 or 2026年11月23日."""
        match = _DATE.fullmatch(self._number(name))
        value = _day(match) if match else None
        if value is None:
            self.refuse(name, Text("Enter a date, such as 2026-11-23."))
            return least or most or date.min + timedelta(days=1)
        if least is not None and value < least:
            self.refuse(name, Text("Choose %(day)s or later.", day=least))
        if most is not None and value > most:
            self.refuse(name, Text("Choose %(day)s or earlier.", day=most))
        return value

    def choice(self, name: str, kind: type[E]) -> E:
        """One of the values of an enum."""
        try:
            return kind(self._form.get(name, "").strip())
        except ValueError:
            self.refuse(name, Text("Please choose one."))
            return next(iter(kind))

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return name in self._form

    def key(self, name: str) -> int:
        """The id of a chosen row; whether it is theirs is for the query to say."""
        typed = self._form.get(name, "").strip()
        if not re.fullmatch(r"\d{1,18}", typed, re.ASCII):
            self.refuse(name, Text("Please choose one."))
            return 0
        return int(typed)

    def phone(self, name: str) -> str:
        """A mobile or landline number of the country, digits only."""
        value = self._number(name).removeprefix("+86").replace("(", "").replace(")", "")
        if not _PHONE.fullmatch(value) and not _PHONE.fullmatch(value.replace("-", "")):
            self.refuse(name, Text("Enter a phone number with 11 digits, such as 13812345678."))
        return value.replace("-", "")

    def email(self, name: str) -> str:
        """An e-mail address in lower case."""
        value = self._number(name).lower()
        if len(value) > 254 or not _EMAIL.fullmatch(value):
            self.refuse(name, Text("Enter an e-mail address, such as name@example.cn."))
        return value

    def _number(self, name: str) -> str:
        return plain_number(self._form.get(name, ""))


def _day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None

"""Names, numbers and addresses of people who do not exist.

Given names come plainly out of a garden; identity numbers have a right check digit and the birth
year 1900, so they can belong to nobody (domain.md §6.3); telephone and account numbers are of no
network and no bank.
"""

from __future__ import annotations

from random import Random

from kernel.codes import (
    USCC_ALPHABET,
    identity_with_check,
    organisation_check,
    uscc_with_check,
)
from shop.demo import tables

REGION = "500114"


class Names:
    """Draws each name and number once."""

    def __init__(self, source: Random) -> None:
        self._source = source
        self._names: set[str] = set()
        self._persons = 0
        self._phones = 0
        self._accounts = 0
        words = tables.words()
        self._surnames = words["surnames"].split()
        self._first = words["first"].split()
        self._last = {key: words[key].split() for key in ("men", "women", "children")}

    def person(self, sex: str, surname: str | None = None, *, child: bool = False) -> str:
        last = self._last["children" if child else "men" if sex == "male" else "women"]
        for _ in range(400):
            family = surname or self._source.choice(self._surnames)
            name = str(family) + self._source.choice(self._first) + self._source.choice(last)
            if name not in self._names:
                break
        self._names.add(name)
        return str(name)

    def surname(self) -> str:
        return str(self._source.choice(self._surnames))

    def identity(self, sex: str) -> str:
        """One after another through the days of 1900: 183 men and 183 women a day and more."""
        self._persons += 1
        day, number = self._persons % 336, self._persons // 336 + 1
        month, day_of_month = day // 28 + 1, day % 28 + 1
        sequence = 2 * number - (1 if sex == "male" else 0)
        return identity_with_check(f"{REGION}1900{month:02}{day_of_month:02}{sequence:03}")

    def phone(self) -> str:
        self._phones += 1
        return f"1990{self._phones:07}"

    def account(self) -> str:
        self._accounts += 1
        return f"99990202{self._accounts:08}"

    def uscc(self, kind: str) -> str:
        """18 characters with right checks, for an organisation that does not exist."""
        letters = [c for c in USCC_ALPHABET if c.isdigit()]
        body = "MF" + "".join(self._source.choice(letters) for _ in range(6))
        return uscc_with_check(f"{kind}{REGION}{body}{organisation_check(body)}")

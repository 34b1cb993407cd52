"""What somebody asks of the shelf in the address: kind, village, words, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from catalog.lots.queries import Narrower, Sorting
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.text import tidy
from kernel.web.forms import Fields

DIGITS = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """As far as the address could be read; `errors` says what could not, at its field."""

    category: str | None
    village: str | None
    sort: Sorting
    page: int
    in_season: bool
    certified: bool
    least: Money | None
    most: Money | None
    by: date | None
    to: str
    errors: dict[str, Text]

    def narrower(self, suppliers: list[int] | None) -> Narrower:
        """The filters, with those who deliver in time where a day is wished for."""
        return Narrower(self.in_season, self.certified, self.least, self.most, suppliers)


def read_wish(args: Mapping[str, str], *, category: str | None, today: date) -> Wish:
    """Nothing in an address is an error page: what cannot be read is said and left out."""
    fields = Fields(args)
    least = fields.money("from", least=ZERO) if fields.has("from") else None
    most = fields.money("upto", least=ZERO) if fields.has("upto") else None
    by = fields.date("by", least=today) if fields.has("by") else None
    if least is not None and most is not None and least > most and not fields.errors:
        fields.refuse("upto", Text("Enter at least %(least)s.", least=least))
    bad = fields.errors
    return Wish(
        category=category or args.get("category") or None,
        village=args.get("village") or None,
        sort=_sorting(args.get("sort", "")),
        page=_page(args.get("page", "")),
        in_season=args.get("season") == "1",
        certified=args.get("certified") == "1",
        least=None if "from" in bad or "upto" in bad else least,
        most=None if "from" in bad or "upto" in bad else most,
        by=None if "by" in bad else by,
        to=tidy(args.get("to", ""))[:60],
        errors=bad,
    )


def _sorting(wanted: str) -> Sorting:
    try:
        return Sorting(wanted)
    except ValueError:
        return Sorting.RECOMMENDED


def _page(wanted: str) -> int:
    whole = wanted.isascii() and wanted.isdecimal() and len(wanted) < DIGITS
    return max(1, int(wanted)) if whole else 1

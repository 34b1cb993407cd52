"""Which way a product may go (domain.md §2.1), and which days its seasons are. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

# By value of ProductState. Draft goes straight on sale when the operator itself puts it there.
MOVES: dict[str, frozenset[str]] = {
    "draft": frozenset({"in_review", "on_sale", "ended"}),
    "in_review": frozenset({"draft", "on_sale"}),
    "on_sale": frozenset({"off_sale"}),
    "off_sale": frozenset({"on_sale", "in_review", "off_sale", "ended"}),
    "ended": frozenset(),
}
MOST_SPANS = 4
# Reasons a cooperative gives itself, and may take back itself; the others are the operator's.
OWN_REASONS = frozenset({"own_wish", "sold_out", "season"})

_SPAN = re.compile(
    r"(\d{1,2})[-./月](\d{1,2})日?\s*(?:-{1,2}|–|—|~|至|到)\s*(\d{1,2})[-./月](\d{1,2})日?"
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def may_move(before: str, after: str) -> bool:
    return after in MOVES[before]


def read_seasons(text: str) -> list[list[str]] | None:
    """`10-15 – 12-25, 3.20-4.30` or `10月15日至12月25日` → [["10-15", "12-25"], …]; None when it
    cannot be read. A span may run over New Year."""
    spans = []
    for part in re.split(r"[,，;；、\n]+", text):
        if not part.strip():
            continue
        match = _SPAN.fullmatch(part.strip())
        days = match and [_day(match[1], match[2]), _day(match[3], match[4])]
        if not days or None in days:
            return None
        spans.append(days)
    return spans if len(spans) <= MOST_SPANS else None  # type: ignore[return-value]


def _day(month: str, day: str) -> str | None:
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= _DAYS[int(month) - 1]:
        return None
    return f"{int(month):02}-{int(day):02}"


def written_seasons(spans: Sequence[Sequence[str]]) -> str:
    """The other way round, for a form field and for a comparison."""
    return "\n".join(f"{begin} – {end}" for begin, end in spans)

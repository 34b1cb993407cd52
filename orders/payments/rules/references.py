"""Document numbers in what people write into the memo of a transfer. Pure."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"(?<![A-Z0-9])([A-Z]{2})[\s-]*(\d{2})[\s-]*(\d{6})(?!\d)")


def references_in(memo: str) -> list[str]:
    """`货款ＤＧ26 000043、dg26-000044` → ["DG26-000043", "DG26-000044"], each once, in order."""
    plain = unicodedata.normalize("NFKC", memo).upper()
    found = (f"{kind}{year}-{serial}" for kind, year, serial in _NUMBER.findall(plain))
    return list(dict.fromkeys(found))

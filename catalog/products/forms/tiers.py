"""Tiers as people write them: `3: 30.00; 5: 28.00` ↔ steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.products.models import Pack, Shelf
from kernel.errors import Text
from kernel.money import Price, parse_money, parse_price
from kernel.quantities import BaseUnit, parse_quantity
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields

_STEP = re.compile(r"(.+?)(?:[:：=]|起)(.+)")


def read_steps(
    fields: Fields,
    form: Mapping[str, str],
    name: str,
    shelf: Shelf,
    unit: BaseUnit,
    content: int,
) -> list[list[int]]:
    """`3: 30.00; 5: 28.00` → [[3 packs in base units, 3000], …]; canteens write quantities."""
    found = []
    for part in re.split(r"[;；\n]+", tidy(form.get(name, ""))):
        if not part.strip():
            continue
        match = _STEP.fullmatch(part.strip())
        try:
            if match is None:
                raise ValueError(part)  # noqa: TRY301
            least, price = plain_number(match[1]), plain_number(match[2])
            if shelf is Shelf.CITIZENS:
                found.append([int(least) * content, parse_money(price).fen])
            else:
                found.append([parse_quantity(least, unit), parse_price(price).per_unit])
        except ValueError:
            fields.refuse(name, Text("Write each tier as quantity: price, such as 100: 5.50."))
            return []
    return found


def written_steps(steps: Sequence[Any], pack: Pack | Mapping[str, Any], unit: BaseUnit) -> str:
    """Steps as the form field shows them."""
    shelf = pack["shelf"] if isinstance(pack, Mapping) else pack.shelf.value
    content = pack["content"] if isinstance(pack, Mapping) else pack.content
    if shelf == Shelf.CITIZENS.value:
        return "; ".join(
            f"{least // content}: {value // 100}.{value % 100:02}" for least, value in steps
        )
    return "; ".join(f"{_plain(least, unit)}: {Price(value).yuan}" for least, value in steps)


def _plain(quantity: int, unit: BaseUnit) -> str:
    if unit is BaseUnit.PIECE:
        return str(quantity)
    whole, rest = divmod(quantity, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".")

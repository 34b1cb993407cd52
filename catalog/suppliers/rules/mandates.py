"""When somebody may sell what another grew or made (domain.md §2.1). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from catalog.suppliers.rules.certificates import WARN_FROM

# Kinds of bodies that produce nothing and sell only for others.
ONLY_FOR_OTHERS = frozenset({"trader"})
# The principal still has the right to let others sell.
_STANDS = frozenset({"admitted", "rectifying"})


def mandate_holds(
    state: str, principal: str, valid_from: date, valid_to: date, today: date
) -> bool:
    """`state` and `principal` by value of MandateState and SupplierState."""
    return state == "agreed" and principal in _STANDS and valid_from <= today <= valid_to


def mandate_ends_soon(valid_to: date, today: date) -> bool:
    return 0 <= (valid_to - today).days <= WARN_FROM


def needs_mandate(kind: str, agreed_once: bool) -> bool:
    """A body that sells only for others always does; another one for what it was ever mandated
    to sell. What was only proposed or declined binds nobody."""
    return kind in ONLY_FOR_OTHERS or agreed_once


def may_sell(kind: str, held: Iterable[tuple[bool, bool]]) -> bool:
    """`held` are the product's mandates as (was ever agreed, holds today)."""
    found = list(held)
    return not needs_mandate(kind, any(once for once, _ in found)) or any(now for _, now in found)

"""What a supplier may have changed in the register, and who has to look at it. Pure.

Whom one calls is the supplier's own business. What it grows, how much and with whom is what the
county recommended it for (domain.md §2.1), so the county looks again. A name, a legal person or an
account is where forgery pays: it needs a paper, the county and the platform.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

AT_ONCE = frozenset({"contact", "phone"})
BY_COUNTY = frozenset(
    {
        "origin_code",
        "base_mu_100",
        "capacity_g",
        "main_products",
        "annual_sales",
        "enterprise_size",
        "mechanisms",
        "linkage_statement",
    }
)
WITH_PROOF = frozenset({"name", "legal_person", "bank", "bank_account"})

# In the order in which a reader meets them. The credit code and the kind of body are not here:
# another code is another body, which applies for itself.
FIELDS = (
    "name", "legal_person", "contact", "phone", "bank", "bank_account", "origin_code",
    "base_mu_100", "capacity_g", "main_products", "annual_sales", "enterprise_size",
    "mechanisms", "linkage_statement",
)  # fmt: skip


def differing(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that would be otherwise, in their order; hyphens of a number are no difference."""
    return tuple(each for each in FIELDS if _bare(each, now[each]) != _bare(each, wanted[each]))


def _bare(field: str, value: Any) -> Any:
    numbers = ("phone", "bank_account")
    return str(value).replace("-", "").replace(" ", "") if field in numbers else value


def weight_of(fields: Iterable[str]) -> str:
    """By value of ChangeWeight; the weightiest field decides for all of them."""
    found = set(fields)
    if found & WITH_PROOF:
        return "county_and_platform"
    return "county" if found & BY_COUNTY else "at_once"


def edition(values: Mapping[str, Any]) -> str:
    """A short mark of what the register says, so that a form notices that it has grown old."""
    told = json.dumps({each: values[each] for each in FIELDS}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]

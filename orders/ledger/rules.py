"""The plan of accounts: how codes are built, of what kind they are, what they are called. Pure.

`S` stands for a supplier's code and `H` for a household's (domain.md §4.6, suggested accounts).
"""

from __future__ import annotations

import re

from kernel.errors import Text

KINDS = ("assets", "liabilities", "equity", "income", "expenses")

# Of these kinds a balance is what was debited less what was credited; of the others the reverse.
DEBIT_NORMAL = frozenset({"assets", "expenses"})

_CODE = re.compile(f"(?:{'|'.join(KINDS)})(?::[A-Za-z0-9][A-Za-z0-9-]*)+")


def bank(supplier: str) -> str:
    return f"assets:bank:{supplier}"


def provider(supplier: str) -> str:
    """What the payment provider still holds for the supplier."""
    return f"assets:provider:{supplier}"


def receivable(supplier: str, organisation_id: int) -> str:
    return f"assets:receivable:{supplier}:{organisation_id}"


def goods(supplier: str) -> str:
    return f"assets:goods:{supplier}"


def prepaid(supplier: str) -> str:
    """What citizens paid for goods they have not received for good."""
    return f"liabilities:prepaid:{supplier}"


def refunds(supplier: str) -> str:
    """What goes back to buyers and has not reached them yet."""
    return f"liabilities:refunds:{supplier}"


def household(household_code: str, supplier: str) -> str:
    return f"liabilities:household:{household_code}:{supplier}"


def in_transit(supplier: str) -> str:
    return f"liabilities:in-transit:{supplier}"


def collective(supplier: str) -> str:
    return f"liabilities:collective:{supplier}"


def cost(kind: str, supplier: str) -> str:
    return f"liabilities:costs:{kind.replace('_', '-')}:{supplier}"


def clearing(supplier: str) -> str:
    return f"liabilities:clearing:{supplier}"


def cooperative(supplier: str) -> str:
    return f"income:cooperative:{supplier}"


def loss(supplier: str) -> str:
    return f"expenses:loss:{supplier}"


def kind_of(code: str) -> str:
    """The kind of the account; ValueError when the code is none."""
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is not the code of an account")
    return code.partition(":")[0]


def subject_of(code: str) -> str:
    """Whose account it is: a household's, a buying organisation's, or the supplier's."""
    parts = code.split(":")
    if code.startswith("liabilities:household:"):
        return f"household:{parts[2]}"
    if code.startswith("assets:receivable:"):
        return f"organisation:{parts[3]}"
    return f"supplier:{parts[-1]}"


_NAMES = {
    "assets:bank": Text("Bank account of %(supplier)s"),
    "assets:provider": Text("With the payment provider for %(supplier)s"),
    "assets:receivable": Text("%(supplier)s to receive from organisation %(party)s"),
    "assets:goods": Text("Goods in store of %(supplier)s"),
    "liabilities:prepaid": Text("Paid in advance to %(supplier)s"),
    "liabilities:refunds": Text("To be paid back by %(supplier)s"),
    "liabilities:household": Text("%(supplier)s owes household %(party)s"),
    "liabilities:in-transit": Text("Payments under way of %(supplier)s"),
    "liabilities:collective": Text("Retained for the collective, %(supplier)s"),
    "liabilities:costs": Text("Costs to be paid by %(supplier)s: %(party)s"),
    "liabilities:clearing": Text("Clearing of %(supplier)s"),
    "equity:opening": Text("Own funds of %(supplier)s at the beginning"),
    "income:cooperative": Text("Left to %(supplier)s"),
    "expenses:loss": Text("Goods lost by %(supplier)s"),
}


def account_name(code: str) -> Text:
    """What people call the account, for every code of the plan; the code itself for others."""
    parts = code.split(":")
    named = _NAMES.get(":".join(parts[:2]))
    if named is None:
        return Text("Account %(code)s", code=code)
    party = parts[3] if parts[1] == "receivable" else parts[2]
    supplier = parts[2] if parts[1] == "receivable" else parts[-1]
    return Text(named.message, supplier=supplier, party=party)

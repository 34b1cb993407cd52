"""Which tables are for whom, at which desk."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.actors import COOPERATIVE, Role
from kernel.errors import Missing, Text
from shop.excel.columns import Kind
from shop.excel.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Door:
    """Who brings a kind of table in, who says yes to it, and who takes it out."""

    kind: Kind
    brings: tuple[Role, ...]
    agrees: tuple[Role, ...]
    takes: tuple[Role, ...]


# Who writes down what goods cost elsewhere.
_WATCH = (Role.OFFICIAL, Role.DISTRICT)
_BOOKS = (Role.ACCOUNTANT, Role.MANAGER)

DOORS: dict[str, dict[str, Door]] = {
    "coop": {
        "households": Door(KINDS["households"], _BOOKS, _BOOKS, _BOOKS),
        "products": Door(KINDS["products"], (Role.MANAGER,), (Role.MANAGER,), COOPERATIVE),
        "prices": Door(KINDS["prices"], _BOOKS, _BOOKS, COOPERATIVE),
        "lots": Door(
            KINDS["lots"],
            (Role.WEIGHER, Role.MANAGER),
            (Role.STOREKEEPER, Role.MANAGER),
            COOPERATIVE,
        ),
    },
    # A township brings in its register, with the official status and where that comes from.
    "office": {
        "households": Door(
            KINDS["households"], (Role.OFFICIAL,), (Role.OFFICIAL,), (Role.OFFICIAL,)
        ),
        "references": Door(KINDS["references"], _WATCH, _WATCH, _WATCH),
    },
    "admin": {
        "references": Door(
            KINDS["references"], (Role.OPERATOR,), (Role.OPERATOR,), (Role.OPERATOR,)
        ),
    },
}


def door(desk: str, key: str) -> Door:
    """The table of that name at that desk, or Missing."""
    found = DOORS[desk].get(key)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def doors(desk: str, role: Role | None) -> list[Door]:
    """The tables that this role has to do with."""
    return [
        each for each in DOORS[desk].values() if role in (*each.brings, *each.agrees, *each.takes)
    ]

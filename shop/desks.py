"""Which desk a role sits at: where a person arrives after signing in."""

from __future__ import annotations

from kernel.actors import CANTEEN, COOPERATIVE, OFFICE, Role
from kernel.people import Membership

_DESKS: dict[Role, str] = {
    **dict.fromkeys(CANTEEN, "/canteen/"),
    **dict.fromkeys(COOPERATIVE, "/coop/"),
    **dict.fromkeys(OFFICE, "/office/"),
    Role.HELPER: "/helper/",
    Role.HOUSEHOLD: "/helper/",
    Role.AUDITOR: "/audit/",
    Role.OPERATOR: "/admin/",
}


def home_of(membership: Membership | None) -> str:
    """The first page of the desk this membership works at; the shop for everybody else."""
    return _DESKS[membership.role] if membership else "/"

"""Who may see what of a household, and how it is written then (domain.md §5.5). Pure.

This is the one place: a page or an export asks here, and shows what it is given.
"""

from __future__ import annotations

import enum
from datetime import date

from catalog.households.rules.register import under_age
from kernel.actors import CANTEEN, COOPERATIVE, Role
from kernel.codes import mask_identity, mask_name, mask_phone


class Viewer(enum.Enum):
    """Who reads. A cooperative is SUPPLIER to its own producers and COLLECTOR to everybody else who
    lives where it collects."""

    PUBLIC = "public"
    BUYER = "buyer"
    COLLECTOR = "collector"
    SUPPLIER = "supplier"
    HELPER = "helper"
    HOUSEHOLD = "household"
    TOWNSHIP = "township"
    COUNTY = "county"
    AUDITOR = "auditor"


class Detail(enum.Enum):
    """What there is to see; MINOR is the name of a member who is under age."""

    CODE = "code"
    NAME = "name"
    MINOR = "minor"
    IDENTITY = "identity"
    PHONE = "phone"
    ACCOUNT = "account"
    ADDRESS = "address"
    STATUS = "status"
    INCOME = "income"


class Display(enum.Enum):
    """How much of a detail is shown; REVEALED_ON_REQUEST is masked until a reason is logged."""

    NEVER = "never"
    COUNT_ONLY = "count_only"
    CONSENTED = "consented"
    MASKED = "masked"
    LAST4 = "last4"
    VILLAGE = "village"
    GROUP = "group"
    OWN_PAYMENTS = "own_payments"
    REVEALED_ON_REQUEST = "revealed_on_request"
    FULL = "full"


_N, _C, _A = Display.NEVER, Display.COUNT_ONLY, Display.CONSENTED
_M, _4, _R, _F = Display.MASKED, Display.LAST4, Display.REVEALED_ON_REQUEST, Display.FULL
_V, _G, _O = Display.VILLAGE, Display.GROUP, Display.OWN_PAYMENTS

_COLUMNS = (
    Viewer.PUBLIC, Viewer.BUYER, Viewer.COLLECTOR, Viewer.SUPPLIER, Viewer.HELPER,
    Viewer.HOUSEHOLD, Viewer.TOWNSHIP, Viewer.COUNTY, Viewer.AUDITOR,
)  # fmt: skip
_MATRIX = {
    Detail.CODE:     (_N, _N, _F, _F, _F, _F, _F, _F, _F),
    Detail.NAME:     (_A, _M, _M, _F, _F, _F, _F, _R, _R),
    Detail.MINOR:    (_N, _N, _N, _N, _F, _F, _F, _M, _M),
    Detail.IDENTITY: (_N, _N, _N, _4, _M, _M, _M, _R, _R),
    Detail.PHONE:    (_N, _N, _N, _M, _F, _F, _M, _M, _M),
    Detail.ACCOUNT:  (_N, _N, _N, _4, _4, _4, _4, _N, _R),
    Detail.ADDRESS:  (_V, _V, _G, _G, _F, _F, _F, _V, _V),
    Detail.STATUS:   (_N, _N, _C, _C, _F, _F, _F, _F, _F),
    Detail.INCOME:   (_C, _C, _N, _O, _F, _F, _F, _F, _F),
}  # fmt: skip


def display(detail: Detail, viewer: Viewer) -> Display:
    """The one place that says who sees what."""
    return _MATRIX[detail][_COLUMNS.index(viewer)]


def may_reveal(detail: Detail, viewer: Viewer) -> bool:
    """Whether this viewer may ask, with a reason that is logged, to see the detail in clear."""
    return display(detail, viewer) is Display.REVEALED_ON_REQUEST


def name_of_member(is_head: bool, identity: str | None, today: date) -> Detail:
    """As what the name of a member is shown: whoever heads a household is known by it, a child is
    nobody's business but the family's and its helpers'."""
    return Detail.MINOR if not is_head and under_age(identity, today) else Detail.NAME


def viewer_of(role: Role | None) -> Viewer:
    """Whoever has no place in the matrix sees what the public sees."""
    if role in CANTEEN:
        return Viewer.BUYER
    if role in COOPERATIVE:
        return Viewer.SUPPLIER
    return (
        {
            Role.HELPER: Viewer.HELPER,
            Role.HOUSEHOLD: Viewer.HOUSEHOLD,
            Role.OFFICIAL: Viewer.TOWNSHIP,
            Role.DISTRICT: Viewer.COUNTY,
            Role.DEPARTMENT: Viewer.COUNTY,
            Role.AUDITOR: Viewer.AUDITOR,
        }.get(role, Viewer.PUBLIC)
        if role
        else Viewer.PUBLIC
    )


def shown(detail: Detail, value: str | None, viewer: Viewer) -> str:
    """The detail as this viewer may read it; an empty text when there is nothing to see."""
    if not value:
        return ""
    how = display(detail, viewer)
    if how is Display.FULL:
        return value
    if how is Display.LAST4:
        return f"****{value[-4:]}"
    if how in (Display.MASKED, Display.REVEALED_ON_REQUEST):
        return _masked(detail, value)
    return ""


def shown_place(village: str, group_no: int, viewer: Viewer) -> tuple[str, int | None]:
    """(village, group or None): the address as this viewer may read it."""
    how = display(Detail.ADDRESS, viewer)
    return village, group_no if how in (Display.GROUP, Display.FULL) else None


def _masked(detail: Detail, value: str) -> str:
    if detail in (Detail.NAME, Detail.MINOR):
        return mask_name(value)
    if detail is Detail.PHONE:
        return mask_phone(value)
    if detail is Detail.IDENTITY:
        return mask_identity(value)
    return f"****{value[-4:]}"


def finds_by_part(viewer: Viewer) -> bool:
    """Whether a part of a name finds a household. Where names are masked only the whole name does:
    a list that answers to every beginning would spell out what it hides."""
    return display(Detail.NAME, viewer) is Display.FULL

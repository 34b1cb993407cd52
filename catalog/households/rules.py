"""Who may see what of a household, and how it is written then (domain.md §5.5). Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from kernel.actors import CANTEEN, COOPERATIVE, Role
from kernel.codes import mask_identity, mask_name, mask_phone

SMALL = 5


def shown_count(count: int) -> str:
    """A count for the public: what lies between nothing and five is only `<5`."""
    assert count >= 0
    return f"<{SMALL}" if 0 < count < SMALL else str(count)


def shown_counts(counts: Iterable[int]) -> list[str]:
    """Parts of a published sum. When exactly one part is hidden it could be found by subtraction,
    so the smallest of the others is rounded down to a multiple of five and marked with `+`."""
    parts = list(counts)
    hidden = [count for count in parts if 0 < count < SMALL]
    shown = [shown_count(count) for count in parts]
    if len(hidden) == 1 and len(parts) > 1:
        others = [i for i, count in enumerate(parts) if count >= SMALL]
        if others:
            blurred = min(others, key=lambda i: (parts[i], i))
            shown[blurred] = f"{parts[blurred] // SMALL * SMALL}+"
    return shown


def shown_total(counts: Iterable[int]) -> str:
    """The sum of published parts. Beside a hidden part the exact sum would give it away, so it is
    rounded down to a multiple of five and marked with `+`."""
    parts = list(counts)
    total = sum(parts)
    if total >= SMALL and len(parts) > 1 and any(0 < count < SMALL for count in parts):
        return f"{total // SMALL * SMALL}+"
    return shown_count(total)


class Viewer(enum.Enum):
    PUBLIC = "public"
    BUYER = "buyer"
    SUPPLIER = "supplier"
    HELPER = "helper"
    HOUSEHOLD = "household"
    TOWNSHIP = "township"
    COUNTY = "county"
    AUDITOR = "auditor"


class Detail(enum.Enum):
    CODE = "code"
    NAME = "name"
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
    Viewer.PUBLIC, Viewer.BUYER, Viewer.SUPPLIER, Viewer.HELPER,
    Viewer.HOUSEHOLD, Viewer.TOWNSHIP, Viewer.COUNTY, Viewer.AUDITOR,
)  # fmt: skip
_MATRIX = {
    Detail.CODE:     (_N, _N, _F, _F, _F, _F, _F, _F),
    Detail.NAME:     (_A, _M, _F, _F, _F, _F, _R, _R),
    Detail.IDENTITY: (_N, _N, _4, _M, _M, _M, _R, _R),
    Detail.PHONE:    (_N, _N, _M, _F, _F, _M, _M, _M),
    Detail.ACCOUNT:  (_N, _N, _4, _4, _4, _4, _N, _R),
    Detail.ADDRESS:  (_V, _V, _G, _F, _F, _F, _V, _V),
    Detail.STATUS:   (_N, _N, _C, _F, _F, _F, _F, _F),
    Detail.INCOME:   (_C, _C, _O, _F, _F, _F, _F, _F),
}  # fmt: skip


def display(detail: Detail, viewer: Viewer) -> Display:
    """The one place that says who sees what."""
    return _MATRIX[detail][_COLUMNS.index(viewer)]


def may_reveal(detail: Detail, viewer: Viewer) -> bool:
    """Whether this viewer may ask, with a reason that is logged, to see the detail in clear."""
    return display(detail, viewer) is Display.REVEALED_ON_REQUEST


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
    if detail is Detail.NAME:
        return mask_name(value)
    if detail is Detail.PHONE:
        return mask_phone(value)
    if detail is Detail.IDENTITY:
        return mask_identity(value)
    return f"****{value[-4:]}"


def identity_is_foreign(number: str, region_code: str) -> bool:
    """Worth a second look, never a reason to refuse: many here carry the prefix that their county
    had before its code changed (G23)."""
    return number[:6] != region_code[:6]


def needs_mandate(holder: str, names: Iterable[str]) -> bool:
    """Whoever is paid and does not belong to the household needs a written mandate (§4.5)."""
    return holder.strip() not in {name.strip() for name in names}

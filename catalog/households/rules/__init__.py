"""Who may see what of a household (`seeing`), what the public reads of numbers (`counts`), what may
be entered by whom (`register`), and the register as a file (`sheet`). Pure."""

from catalog.households.rules.counts import SMALL, shown_count, shown_counts, shown_total
from catalog.households.rules.register import (
    MANY_REVEALS,
    OF_AGE,
    Part,
    changes,
    identity_is_foreign,
    needs_mandate,
    told_too_much,
    under_age,
    who_changes,
)
from catalog.households.rules.seeing import (
    Detail,
    Display,
    Viewer,
    display,
    finds_by_part,
    may_reveal,
    name_of_member,
    shown,
    shown_place,
    viewer_of,
)

__all__ = [
    "MANY_REVEALS",
    "OF_AGE",
    "SMALL",
    "Detail",
    "Display",
    "Part",
    "Viewer",
    "changes",
    "display",
    "finds_by_part",
    "identity_is_foreign",
    "may_reveal",
    "name_of_member",
    "needs_mandate",
    "shown",
    "shown_count",
    "shown_counts",
    "shown_place",
    "shown_total",
    "told_too_much",
    "under_age",
    "viewer_of",
    "who_changes",
]

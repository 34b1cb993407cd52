"""What may be decided of a supplier without a database."""

from catalog.suppliers.rules.certificates import (
    WARN_FROM,
    lapsed,
    number_problem,
    stands_alone,
    stops,
    warning_due,
)
from catalog.suppliers.rules.changes import FIELDS, differing, edition, weight_of
from catalog.suppliers.rules.linkage import Effect, Paid, effect
from catalog.suppliers.rules.mandates import (
    ONLY_FOR_OTHERS,
    mandate_ends_soon,
    mandate_holds,
    may_sell,
    needs_mandate,
)
from catalog.suppliers.rules.standing import credit_points, uscc_doubt

__all__ = [
    "FIELDS",
    "ONLY_FOR_OTHERS",
    "WARN_FROM",
    "Effect",
    "Paid",
    "credit_points",
    "differing",
    "edition",
    "effect",
    "lapsed",
    "mandate_ends_soon",
    "mandate_holds",
    "may_sell",
    "needs_mandate",
    "number_problem",
    "stands_alone",
    "stops",
    "uscc_doubt",
    "warning_due",
    "weight_of",
]

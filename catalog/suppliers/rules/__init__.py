"""What may be decided of a supplier without a database."""

from catalog.suppliers.rules.certificates import (
    WARN_FROM,
    lapsed,
    number_problem,
    stands_alone,
    stops,
    warning_due,
)
from catalog.suppliers.rules.linkage import Effect, Paid, effect
from catalog.suppliers.rules.standing import credit_points, uscc_doubt

__all__ = [
    "WARN_FROM",
    "Effect",
    "Paid",
    "credit_points",
    "effect",
    "lapsed",
    "number_problem",
    "stands_alone",
    "stops",
    "uscc_doubt",
    "warning_due",
]

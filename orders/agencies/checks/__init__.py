"""What must always hold of units, their orders and the three figures, for `flask selfcheck`."""

from kernel.checks import Check
from orders.agencies.checks import deliveries, figures, signed
from orders.agencies.checks.figures import recount

__all__ = ["CHECKS", "recount"]

CHECKS: list[Check] = [*figures.CHECKS, *deliveries.CHECKS, *signed.CHECKS]

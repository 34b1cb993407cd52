"""What must always be true of slips, lots and moves (architecture, invariant 1; §4.6 R7, R9)."""

from catalog.lots.checks.goods import GOODS_CHECKS
from catalog.lots.checks.harvests import HARVEST_CHECKS
from catalog.lots.checks.papers import PAPER_CHECKS
from catalog.lots.checks.weighing import WEIGHING_CHECKS
from kernel.checks import Check

CHECKS: list[Check] = [*GOODS_CHECKS, *WEIGHING_CHECKS, *PAPER_CHECKS, *HARVEST_CHECKS]

"""Whose desk this is: the supplier that the signed-in person acts for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.lots.models import WeighSlip
from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.money import Money, total
from kernel.periods import SHANGHAI
from kernel.web.access import organisation_id

WEIGHS = (Role.WEIGHER, Role.MANAGER)
STORES = (Role.STOREKEEPER, Role.MANAGER)


def own_supplier(session: Session) -> Supplier:
    """The acting organisation as a supplier, or Missing."""
    return supplier_of(session, organisation_id())


def clock(instant: datetime) -> str:
    """08:31 on the wall in Shanghai."""
    return f"{instant.astimezone(SHANGHAI):%H:%M}"


@dataclass(frozen=True, slots=True)
class SlipSum:
    """What stands under a list of slips; void and reversed ones are left out."""

    slips: int
    net_g: int
    amount: Money


def sum_slips(slips: Iterable[WeighSlip]) -> SlipSum:
    valid = [slip for slip in slips if slip.state.stands]
    return SlipSum(
        len(valid), sum(slip.net_g for slip in valid), total(slip.amount for slip in valid)
    )

"""Which units somebody may see; every query of the office desk begins with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from kernel.people import Organisation
from kernel.regions import within
from orders.agencies.models import Unit


@dataclass(frozen=True, slots=True)
class Scope:
    """Which units somebody may see: those of a region, those of a department, or one of these.

    `prefixes` come from `kernel.regions.prefixes`, so that a renamed region keeps its old units
    (G30). A scope that names nothing holds every unit.
    """

    prefixes: tuple[str, ...] = ()
    supervisor_id: int | None = None
    unit_id: int | None = None

    def holds(self) -> sa.ColumnElement[bool]:
        """SQL over Unit joined with its Organisation."""
        tests: list[sa.ColumnElement[bool]] = [sa.true()]
        if self.prefixes:
            tests.append(within(Organisation.region_code, list(self.prefixes)))
        if self.supervisor_id is not None:
            tests.append(Organisation.id.in_(_supervised(self.supervisor_id)))
        if self.unit_id is not None:
            tests.append(Unit.id == self.unit_id)
        return sa.and_(*tests)

    def unit_ids(self) -> sa.Select[int]:
        """SQL: the ids of its units."""
        return sa.select(Unit.id).join(Unit.organisation).where(self.holds())

    def only(self, unit_id: int) -> Scope:
        return replace(self, unit_id=unit_id)


def _supervised(organisation_id: int) -> sa.Select[int]:
    """Everything below a body on the supervising tree, at any depth (domain.md §1.1)."""
    below = (
        sa.select(Organisation.id)
        .where(Organisation.parent_id == organisation_id)
        .cte(recursive=True)
    )
    deeper = sa.select(Organisation.id).join(below, Organisation.parent_id == below.c.id)
    return sa.select(below.union(deeper).c.id)

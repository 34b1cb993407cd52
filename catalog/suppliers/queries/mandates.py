"""Who sells for whom, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers import rules
from catalog.suppliers.models import Mandate, MandateState, Supplier, SupplierState
from kernel.errors import Missing, Text


@dataclass(frozen=True, slots=True)
class MandateRow:
    """A mandate with both suppliers loaded, and how it stands on `today`."""

    mandate: Mandate
    today: date

    @property
    def holds(self) -> bool:
        each = self.mandate
        return rules.mandate_holds(
            each.state.value, each.principal.state.value, each.valid_from, each.valid_to, self.today
        )

    @property
    def begins_later(self) -> bool:
        return self.mandate.state is MandateState.AGREED and self.today < self.mandate.valid_from

    @property
    def over(self) -> bool:
        return self.mandate.valid_to < self.today

    @property
    def days_left(self) -> int:
        """Until the end of its last day; below zero when it is over."""
        return (self.mandate.valid_to - self.today).days

    @property
    def ends_soon(self) -> bool:
        return self.holds and rules.mandate_ends_soon(self.mandate.valid_to, self.today)


_BOTH = (
    joinedload(Mandate.principal).joinedload(Supplier.organisation),
    joinedload(Mandate.agent).joinedload(Supplier.organisation),
)


def mandates_of(session: Session, supplier_id: int, today: date) -> list[MandateRow]:
    """Those it gave and those it was given, the newest first."""
    found = session.scalars(
        sa.select(Mandate)
        .options(*_BOTH)
        .where(sa.or_(Mandate.principal_id == supplier_id, Mandate.agent_id == supplier_id))
        .order_by(Mandate.valid_to.desc(), Mandate.id.desc())
    )
    return [MandateRow(each, today) for each in found]


def mandate_of(session: Session, supplier_id: int | None, mandate_id: int) -> Mandate:
    """With both suppliers and its paper; one of them is this supplier, unless that is None; or
    Missing."""
    wanted = sa.select(Mandate).options(*_BOTH, joinedload(Mandate.file))
    if supplier_id is not None:
        wanted = wanted.where(
            sa.or_(Mandate.principal_id == supplier_id, Mandate.agent_id == supplier_id)
        )
    found = session.scalar(wanted.where(Mandate.id == mandate_id))
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def ending_mandates(session: Session, today: date) -> list[Mandate]:
    """Agreed mandates that end within the first warning's days and that no later one of the same
    two goes on from, the earliest end first."""
    agreed = Mandate.state == MandateState.AGREED
    found = session.scalars(
        sa.select(Mandate)
        .options(*_BOTH)
        .where(agreed, Mandate.valid_to >= today)
        .order_by(Mandate.valid_to, Mandate.id)
    ).all()
    return [
        each
        for each in found
        if rules.mandate_ends_soon(each.valid_to, today)
        and not any(
            (other.principal_id, other.agent_id) == (each.principal_id, each.agent_id)
            and other.valid_from <= each.valid_to + timedelta(days=1)
            and other.valid_to > each.valid_to
            for other in found
        )
    ]


def possible_principals(session: Session, supplier_id: int) -> list[Supplier]:
    """Admitted producers whose goods another may sell, with their organisations, by code."""
    return [
        each
        for each in session.scalars(
            sa.select(Supplier)
            .options(joinedload(Supplier.organisation))
            .where(
                Supplier.state.in_((SupplierState.ADMITTED, SupplierState.RECTIFYING)),
                Supplier.id != supplier_id,
            )
            .order_by(Supplier.code)
        )
        if each.kind.value not in rules.ONLY_FOR_OTHERS
    ]

"""The invariants of suppliers: every state was reached by declared moves, two people reviewed."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.suppliers.models import (
    MOVES,
    Application,
    ChangeState,
    ChangeWeight,
    LinkageReview,
    LinkPayment,
    RegisterChange,
    Supplier,
    SupplierEvent,
    SupplierProfile,
    SupplierState,
)
from catalog.suppliers.queries import register_entry
from catalog.suppliers.rules import weight_of
from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text


def _states(session: Session) -> Iterator[Difference]:
    """A supplier registered before moves were recorded may have none; then its state stands."""
    reached: dict[int, SupplierState] = {}
    for event in session.scalars(sa.select(SupplierEvent).order_by(SupplierEvent.id)):
        subject = f"supplier:{event.supplier_id}"
        if (event.from_state, event.to_state) not in MOVES:
            yield Difference(subject, Text("A move that nobody may make."))
        before = reached.get(event.supplier_id)
        if before is not None and before is not event.from_state:
            yield Difference(subject, Text("Its moves do not join on to one another."))
        reached[event.supplier_id] = event.to_state
    for supplier_id, state in session.execute(sa.select(Supplier.id, Supplier.state)):
        if supplier_id in reached and reached[supplier_id] is not state:
            yield Difference(
                f"supplier:{supplier_id}",
                Text(
                    "It is “%(state)s”; its moves say “%(said)s”.",
                    state=state,
                    said=reached[supplier_id],
                ),
            )


def _reviewers(session: Session) -> Iterator[Difference]:
    """Whoever was admitted through an application was reviewed by two people of the county."""
    same = Application.agriculture_by_id == Application.revitalisation_by_id
    platform = Application.platform_at.is_not(None)
    unseen = sa.or_(Application.agriculture_at.is_(None), Application.revitalisation_at.is_(None))
    for number in session.scalars(
        sa.select(Application.number).where(sa.or_(same, sa.and_(platform, unseen)))
    ):
        yield Difference(f"application:{number}", Text("Two people of the county must review it."))


def _corrections(session: Session) -> Iterator[Difference]:
    wrong = aliased(LinkPayment)
    for key in session.scalars(
        sa.select(LinkPayment.id)
        .join(wrong, wrong.id == LinkPayment.corrects_id)
        .where(
            sa.or_(
                LinkPayment.amount != -wrong.amount,
                LinkPayment.cost != -wrong.cost,
                LinkPayment.link_id != wrong.link_id,
                LinkPayment.paid_on != wrong.paid_on,
            )
        )
    ):
        yield Difference(f"link_payment:{key}", Text("It does not take back what it points to."))


def _reviews(session: Session) -> Iterator[Difference]:
    for review in session.scalars(
        sa.select(LinkageReview).options(sa.orm.joinedload(LinkageReview.frozen))
    ):
        said = review.frozen.content()
        if (said["households"], said["gross"], said["year"]) != (
            review.households,
            review.gross.fen,
            review.year,
        ):
            yield Difference(
                f"linkage_review:{review.id}", Text("Its figures are not those it froze.")
            )


def _changes(session: Session) -> Iterator[Difference]:
    """The register says of every field what the newest change in force says of it."""
    told: dict[tuple[int, str], object] = {}
    for change in session.scalars(
        sa.select(RegisterChange)
        .options(sa.orm.joinedload(RegisterChange.frozen))
        .where(RegisterChange.state == ChangeState.IN_FORCE)
        .order_by(RegisterChange.in_force_at, RegisterChange.id)
    ):
        after = change.frozen.content()["after"]
        told |= {(change.supplier_id, field): value for field, value in after.items()}
        if change.weight.value != weight_of(after):
            yield Difference(f"register_change:{change.id}", Text("Too few people looked at it."))
        wanted = {
            ChangeWeight.AT_ONCE: (),
            ChangeWeight.COUNTY: (change.county_at,),
            ChangeWeight.COUNTY_AND_PLATFORM: (change.county_at, change.platform_at),
        }[change.weight]
        if None in wanted:
            yield Difference(f"register_change:{change.id}", Text("Too few people looked at it."))
    for supplier, profile in session.execute(
        sa.select(Supplier, SupplierProfile)
        .outerjoin(SupplierProfile, SupplierProfile.supplier_id == Supplier.id)
        .options(sa.orm.joinedload(Supplier.organisation))
        .where(Supplier.id.in_({key for key, _ in told}))
    ):
        for field, value in register_entry(supplier, profile).items():
            if told.get((supplier.id, field), value) != value:
                yield Difference(
                    f"supplier:{supplier.id}",
                    Text("Its register does not say what the last change says."),
                )


CHECKS: list[Check] = [
    Check(
        "suppliers.states",
        Text("Suppliers reached their state by declared moves"),
        _states,
        rows_of(Supplier, SupplierEvent),
    ),
    Check(
        "suppliers.reviewers",
        Text("Two people of the county reviewed every admitted application"),
        _reviewers,
        rows_of(Application),
    ),
    Check(
        "suppliers.link_payments",
        Text("Corrections take back exactly what was recorded"),
        _corrections,
        rows_of(LinkPayment),
    ),
    Check(
        "suppliers.reviews",
        Text("Yearly reviews say what they froze"),
        _reviews,
        rows_of(LinkageReview),
    ),
    Check(
        "suppliers.register",
        Text("The register says what the changes in force say, each seen by whom it needs"),
        _changes,
        rows_of(RegisterChange),
    ),
]

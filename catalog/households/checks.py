"""What must always be true of the register."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.households.models import (
    Consent,
    ConsentPurpose,
    HelperAssignment,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    Reveal,
)
from kernel.checks import Check, Difference, rows_of
from kernel.crypto import keyed_hash
from kernel.errors import Text


def _one_at_a_time(session: Session) -> Iterator[Difference]:
    """One head, one open payout account, one helper per household."""
    for column, chosen, sentence in (
        (
            HouseholdMember.household_id,
            HouseholdMember.is_head,
            Text("Has more than one head."),
        ),
        (
            PayoutAccount.household_id,
            PayoutAccount.valid_to.is_(None),
            Text("Has more than one open payout account."),
        ),
    ):
        for key in session.scalars(
            sa.select(column)
            .where(chosen)
            .group_by(column)
            .having(sa.func.count() > 1)
            .order_by(column)
        ):
            yield Difference(f"household:{key}", sentence)
    other = aliased(HelperAssignment)
    overlap = (
        sa.select(HelperAssignment.household_id)
        .join(
            other,
            sa.and_(
                other.household_id == HelperAssignment.household_id,
                other.id > HelperAssignment.id,
                sa.or_(other.valid_to.is_(None), other.valid_to >= HelperAssignment.valid_from),
                sa.or_(
                    HelperAssignment.valid_to.is_(None),
                    HelperAssignment.valid_to >= other.valid_from,
                ),
            ),
        )
        .distinct()
        .order_by(HelperAssignment.household_id)
    )
    for key in session.scalars(overlap):
        yield Difference(f"household:{key}", Text("Has two helpers on one day."))


def _statuses(session: Session) -> Iterator[Difference]:
    """A source, and nothing that contradicts itself (domain.md §5.1)."""
    wrong = sa.or_(
        sa.func.trim(HouseholdStatus.source) == "",
        sa.and_(HouseholdStatus.monitor_type == MonitorType.UNSTABLE, ~HouseholdStatus.lifted),
        sa.and_(HouseholdStatus.monitor_type == MonitorType.MARGINAL, HouseholdStatus.lifted),
    )
    for key in session.scalars(
        sa.select(HouseholdStatus.household_id).where(wrong).order_by(HouseholdStatus.id)
    ):
        yield Difference(
            f"household:{key}", Text("Has a status without a source, or one that cannot be.")
        )


def _hashes(session: Session) -> Iterator[Difference]:
    """The hash beside a sealed number is that number's, so duplicates are found."""
    for member in session.scalars(
        sa.select(HouseholdMember)
        .where(HouseholdMember.identity.is_not(None))
        .order_by(HouseholdMember.id)
        .execution_options(yield_per=1000)
    ):
        if member.identity is None or member.identity_hash != keyed_hash(member.identity):
            yield Difference(
                f"household:{member.household_id}",
                Text("A sealed number and the hash it is found by do not belong together."),
            )
        session.expunge(member)


def _photos(session: Session) -> Iterator[Difference]:
    shown = sa.select(Consent.household_id).where(
        Consent.purpose == ConsentPurpose.PHOTO,
        Consent.withdrawn_on.is_(None),
        sa.or_(Consent.picture_id.is_(None), Consent.evidence_id.is_(None)),
    )
    for key in session.scalars(shown.order_by(Consent.id)):
        yield Difference(f"household:{key}", Text("A photo is shown without its signed paper."))


def _reasons(session: Session) -> Iterator[Difference]:
    for key in session.scalars(
        sa.select(Reveal.household_id).where(sa.func.trim(Reveal.reason) == "").order_by(Reveal.id)
    ):
        yield Difference(f"household:{key}", Text("Was read in clear without a reason."))


CHECKS: list[Check] = [
    Check(
        "households.one_at_a_time",
        Text("A household has one head, one helper and one payout account at a time"),
        _one_at_a_time,
        rows_of(HouseholdMember, HelperAssignment, PayoutAccount),
    ),
    Check(
        "households.statuses",
        Text("Every official status has a source and does not contradict itself"),
        _statuses,
        rows_of(HouseholdStatus),
    ),
    Check(
        "households.hashes",
        Text("Sealed numbers are found by their own hash"),
        _hashes,
        rows_of(HouseholdMember),
    ),
    Check(
        "households.photos",
        Text("Every photo that is shown has its signed paper"),
        _photos,
        rows_of(Consent),
    ),
    Check(
        "households.reasons",
        Text("Whatever was read in clear has its reason"),
        _reasons,
        rows_of(Reveal),
    ),
]

"""Everything that is kept of one household, with its history, as one reader may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import (
    Consent,
    ConsentPurpose,
    ConsentScope,
    HelperAssignment,
    HouseholdMember,
    HouseholdStatus,
    PayoutAccount,
    Plot,
)
from catalog.households.queries.card import (
    HouseholdCard,
    MemberShown,
    PlotShown,
    StatusShown,
    household_card,
    member_shown,
    plot_shown,
    status_shown,
)
from catalog.households.rules import Detail, Display, Viewer
from kernel.people import User


@dataclass(frozen=True, slots=True)
class HelperShown:
    name: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class ConsentShown:
    id: int
    purpose: ConsentPurpose
    content: str
    scope: ConsentScope
    given_on: date
    withdrawn_on: date | None
    has_paper: bool
    has_picture: bool


@dataclass(frozen=True, slots=True)
class AccountShown:
    """A payout account that is closed."""

    holder: str
    bank: str
    last4: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class HouseholdSheet:
    """The card and what was before it."""

    card: HouseholdCard
    former: tuple[MemberShown, ...]
    plots: tuple[PlotShown, ...]
    statuses: tuple[StatusShown, ...]
    helpers: tuple[HelperShown, ...]
    consents: tuple[ConsentShown, ...]
    accounts: tuple[AccountShown, ...]

    @property
    def fields(self) -> tuple[PlotShown, ...]:
        """Those that count."""
        return tuple(plot for plot in self.plots if plot.retired_on is None)


def household_sheet(
    session: Session, household_id: int, *, viewer: Viewer, today: date
) -> HouseholdSheet:
    """A fixed number of statements. The caller has checked the scope."""
    card = household_card(session, household_id, viewer=viewer, year=today.year, today=today)
    full = rules.display(Detail.STATUS, viewer) is Display.FULL
    known = rules.display(Detail.NAME, viewer) is not Display.MASKED
    return HouseholdSheet(
        card=card,
        former=_former(session, household_id, viewer, today) if known else (),
        plots=_plots(session, household_id),
        statuses=_statuses(session, household_id) if full else (),
        helpers=_helpers(session, household_id) if full else (),
        consents=_consents(session, household_id) if known else (),
        accounts=_accounts(session, household_id, viewer),
    )


def _former(
    session: Session, household_id: int, viewer: Viewer, today: date
) -> tuple[MemberShown, ...]:
    return tuple(
        member_shown(member, viewer, today)
        for member in session.scalars(
            sa.select(HouseholdMember)
            .where(
                HouseholdMember.household_id == household_id, HouseholdMember.left_on.is_not(None)
            )
            .order_by(HouseholdMember.left_on.desc(), HouseholdMember.id)
        )
    )


def _plots(session: Session, household_id: int) -> tuple[PlotShown, ...]:
    return tuple(
        plot_shown(plot)
        for plot in session.scalars(
            sa.select(Plot)
            .where(Plot.household_id == household_id)
            .order_by(Plot.year.desc(), Plot.crop, Plot.id)
        )
    )


def _statuses(session: Session, household_id: int) -> tuple[StatusShown, ...]:
    return tuple(
        status_shown(status)
        for status in session.scalars(
            sa.select(HouseholdStatus)
            .where(HouseholdStatus.household_id == household_id)
            .order_by(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc())
        )
    )


def _helpers(session: Session, household_id: int) -> tuple[HelperShown, ...]:
    return tuple(
        HelperShown(name, since, until)
        for name, since, until in session.execute(
            sa.select(User.name, HelperAssignment.valid_from, HelperAssignment.valid_to)
            .join(User, User.id == HelperAssignment.user_id)
            .where(HelperAssignment.household_id == household_id)
            .order_by(HelperAssignment.valid_from.desc(), HelperAssignment.id.desc())
        )
    )


def _consents(session: Session, household_id: int) -> tuple[ConsentShown, ...]:
    return tuple(
        ConsentShown(
            id=consent.id,
            purpose=consent.purpose,
            content=consent.content,
            scope=consent.scope or ConsentScope.WEBSITE,
            given_on=consent.given_on,
            withdrawn_on=consent.withdrawn_on,
            has_paper=consent.evidence_id is not None,
            has_picture=consent.picture_id is not None,
        )
        for consent in session.scalars(
            sa.select(Consent)
            .where(Consent.household_id == household_id)
            .order_by(Consent.withdrawn_on.is_not(None), Consent.id.desc())
        )
    )


def _accounts(session: Session, household_id: int, viewer: Viewer) -> tuple[AccountShown, ...]:
    if rules.display(Detail.ACCOUNT, viewer) is Display.NEVER:
        return ()
    return tuple(
        AccountShown(
            rules.shown(Detail.NAME, account.holder, viewer),
            account.bank,
            rules.shown(Detail.ACCOUNT, account.last4, viewer),
            account.valid_from,
            account.valid_to,
        )
        for account in session.scalars(
            sa.select(PayoutAccount)
            .where(PayoutAccount.household_id == household_id, PayoutAccount.valid_to.is_not(None))
            .order_by(PayoutAccount.valid_from.desc(), PayoutAccount.id.desc())
        )
    )

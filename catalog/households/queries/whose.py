"""Whose households somebody reads, as whom, and what they may ask the register for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import HelperAssignment, Household
from catalog.households.rules import Detail, Display, Viewer
from kernel.errors import Missing, Text
from kernel.labels import Labelled
from kernel.regions import within


class Listing(Labelled):
    """Which households of the register are listed."""

    ALL = "all"
    OWN = "own"
    NO_HELPER = "no_helper"
    NO_ACCOUNT = "no_account"
    NO_FIELDS = "no_fields"
    LIFTED = "lifted"
    MONITORED = "monitored"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose households somebody reads, and as whom: those of regions, or those a person helps.

    `own` selects the ids of a cooperative's own producers; it is a COLLECTOR to all others.
    """

    viewer: Viewer
    prefixes: tuple[str, ...] = ()
    helper_id: int | None = None
    own: sa.Select[Any] | None = None

    def viewer_of(self, own: bool) -> Viewer:
        return self.viewer if own or self.own is None else Viewer.COLLECTOR

    def reached(self, today: date) -> sa.ColumnElement[bool]:
        """SQL: the household is one of theirs."""
        if self.helper_id is not None:
            return Household.id.in_(
                sa.select(HelperAssignment.household_id).where(
                    HelperAssignment.user_id == self.helper_id, holds(HelperAssignment, today)
                )
            )
        if not self.prefixes:
            return sa.false()
        return within(Household.region_code, list(self.prefixes))

    def is_own(self) -> sa.ColumnElement[bool]:
        """SQL: read as the viewer, not as a mere collector."""
        return sa.true() if self.own is None else Household.id.in_(self.own)


@dataclass(frozen=True, slots=True)
class Wanted:
    text: str = ""
    village: str = ""
    listing: Listing = Listing.ALL


def listings_for(whose: Whose) -> tuple[Listing, ...]:
    """What this reader may filter by: a filter must not tell what the list hides."""
    status = rules.display(Detail.STATUS, whose.viewer) is Display.FULL
    account = rules.display(Detail.ACCOUNT, whose.viewer) is not Display.NEVER
    chosen = {
        Listing.ALL: True,
        Listing.OWN: whose.own is not None,
        Listing.NO_HELPER: whose.own is None and whose.helper_id is None,
        Listing.NO_ACCOUNT: account and whose.own is None,
        Listing.NO_FIELDS: True,
        Listing.LIFTED: status,
        Listing.MONITORED: status,
    }
    return tuple(each for each, may in chosen.items() if may)


def reached_household(
    session: Session, whose: Whose, code: str, *, today: date
) -> tuple[int, Viewer]:
    """(id, as whom it is read) of the household of that code if it is one of theirs; or Missing."""
    found = session.execute(
        sa.select(Household.id, whose.is_own()).where(Household.code == code, whose.reached(today))
    ).one_or_none()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    key, own = found
    return key, whose.viewer_of(bool(own))


def holds(assignment: Any, today: date) -> sa.ColumnElement[bool]:
    """SQL: an assignment that is in force on that day."""
    return sa.and_(
        assignment.valid_from <= today,
        sa.or_(assignment.valid_to.is_(None), assignment.valid_to >= today),
    )

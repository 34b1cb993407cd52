"""Whose figures somebody at the office desk may read: a region's, or those of supervised units."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.rules import Viewer, viewer_of
from kernel.actors import Role
from kernel.people import Membership
from kernel.regions import Region, prefix
from orders.agencies.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class Desk:
    """What one membership sees: which units, which households, and how their names are written.

    A department has units but no households of its own; `villages` is empty then and only the
    households its units bought from appear.
    """

    scope: Scope
    place: str
    villages: tuple[str, ...]
    viewer: Viewer


def desk_of(session: Session, membership: Membership) -> Desk:
    """The scope of a membership; its organisation must be loaded."""
    organisation = membership.organisation
    viewer = viewer_of(membership.role)
    if membership.role is Role.DEPARTMENT:
        return Desk(
            Scope(supervisor_id=organisation.id),
            organisation.short_name,
            villages=(),
            viewer=viewer,
        )
    name, found = _region(session, organisation.region_code)
    return Desk(Scope(prefixes=found), name or organisation.short_name, found, viewer)


def _region(session: Session, code: str) -> tuple[str, tuple[str, ...]]:
    """Its name, and the prefixes that roll up to it: its own and those it succeeded (G30)."""
    rows = session.execute(
        sa.select(Region.code, Region.name).where(
            sa.or_(Region.code == code, Region.successor_code == code)
        )
    ).all()
    names = dict(rows)
    older = sorted(each for each in names if each != code)
    return names.get(code, ""), (prefix(code), *(prefix(each) for each in older))

"""One supplier, with what it declared; where its goods come from."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from catalog.suppliers.models import Supplier, SupplierProfile
from kernel.errors import Missing, Text
from kernel.people import Organisation
from kernel.regions import Region, prefixes, within


def supplier_of(session: Session, organisation_id: int | None) -> Supplier:
    """The supplier this organisation is, with its organisation loaded; or Missing."""
    return _found(session, Supplier.organisation_id == organisation_id)


def supplier_sheet(session: Session, supplier_id: int) -> Supplier:
    """The supplier with its organisation loaded; or Missing."""
    return _found(session, Supplier.id == supplier_id)


def supplier_by_code(
    session: Session, code: str, *, region_prefixes: Sequence[str] | None = None
) -> Supplier:
    """By its code, with its organisation loaded; only inside these regions if any are given."""
    wanted = Supplier.code == code.strip().upper()
    if region_prefixes is not None:
        inside = within(Organisation.region_code, list(region_prefixes))
        wanted = sa.and_(wanted, Supplier.organisation.has(inside))
    return _found(session, wanted)


def _found(session: Session, wanted: sa.ColumnElement[bool]) -> Supplier:
    found = session.scalar(
        sa.select(Supplier).options(joinedload(Supplier.organisation)).where(wanted)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def all_suppliers(session: Session) -> list[Supplier]:
    """Every supplier with its organisation, by code."""
    return list(
        session.scalars(
            sa.select(Supplier).options(joinedload(Supplier.organisation)).order_by(Supplier.code)
        )
    )


def profile_of(session: Session, supplier_id: int) -> SupplierProfile | None:
    """What it declared; None before it first wrote anything."""
    return session.scalar(
        sa.select(SupplierProfile).where(SupplierProfile.supplier_id == supplier_id)
    )


def catchment(session: Session, supplier: Supplier) -> list[str]:
    """Prefixes of the township whose households this supplier collects from, old codes too."""
    return prefixes(session, supplier.organisation.region_code[:9] + "000")


def origins_of(session: Session, supplier: Supplier) -> list[Region]:
    """Where its goods may come from: its county, the townships of it, the villages of its own
    township; the wider place first."""
    code = supplier.organisation.region_code
    county, township = code[:6] + "000000", code[:9] + "000"
    return list(
        session.scalars(
            sa.select(Region)
            .where(
                sa.or_(
                    Region.code == county,
                    Region.parent_code == county,
                    Region.parent_code == township,
                ),
                Region.successor_code.is_(None),
            )
            .order_by(Region.code)
        )
    )


def place_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Code → name, with the county in front of what lies in it."""
    county = aliased(Region)
    rows = session.execute(
        sa.select(Region.code, county.name, Region.name)
        .outerjoin(
            county,
            sa.and_(
                county.code == sa.func.substr(Region.code, 1, 6) + "000000",
                county.code != Region.code,
            ),
        )
        .where(Region.code.in_(codes))
    )
    return {code: (inside or "") + _short(name) for code, inside, name in rows}


def _short(name: str) -> str:
    return name.removesuffix("村民委员会").removesuffix("居民委员会")

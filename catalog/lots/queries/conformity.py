"""承诺达标合格证: which lots have one, what each says, and which are still to be issued."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import ConformityCertificate, Contribution, Lot
from catalog.lots.queries.stock import IN_LOT
from catalog.products.models import Product
from kernel.errors import Missing, Text


def conformity_of(session: Session, lot_id: int) -> list[ConformityCertificate]:
    """All certificates of a lot and of its households' parts, oldest first."""
    return list(
        session.scalars(
            sa.select(ConformityCertificate)
            .where(ConformityCertificate.lot_id == lot_id)
            .order_by(ConformityCertificate.id)
        )
    )


def public_certificates(session: Session, lot_id: int) -> list[ConformityCertificate]:
    """Of the lot itself, newest first: it goes with every bag. A household's would name it."""
    return [each for each in conformity_of(session, lot_id)[::-1] if each.contribution_id is None]


def conformity_by_number(session: Session, lot_id: int, number: str) -> ConformityCertificate:
    """One certificate of this lot, or Missing."""
    found = session.scalar(
        sa.select(ConformityCertificate).where(
            ConformityCertificate.lot_id == lot_id, ConformityCertificate.number == number
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def is_void(session: Session, issued: ConformityCertificate) -> bool:
    """Whether nothing of what it vouched for counts any more: every slip of it was reversed."""
    parts = sa.select(Contribution.id).where(Contribution.lot_id == issued.lot_id, IN_LOT)
    if issued.contribution_id is not None:
        parts = parts.where(Contribution.id == issued.contribution_id)
    return session.scalar(parts.limit(1)) is None


def lots_without_certificate(session: Session, lot_ids: Collection[int]) -> list[str]:
    """Codes of those lots among these whose goods are on the list of kinds that may leave only
    with a certificate (domain.md §2.3), and that have none."""
    return list(
        session.scalars(
            sa.select(Lot.code)
            .join(Product, Product.id == Lot.product_id)
            .where(Lot.id.in_(sorted(lot_ids)), Product.needs_certificate, Lot.certificate_no == "")
            .order_by(Lot.id)
        )
    )

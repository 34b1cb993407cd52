"""Certificates as they stand today: held, about to end, ended, withdrawn, renewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers import rules
from catalog.suppliers.models import Certificate, CertificatePaper, CertificateWithdrawal
from kernel.errors import Missing, Text


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate with its paper and withdrawal loaded, and how it stands on `today`.

    `renewed`: another one of the same kind goes on where this one ends.
    """

    certificate: Certificate
    today: date
    renewed: bool

    @property
    def days_left(self) -> int | None:
        """Until the end of its last day; below zero when it is over; None if it has no end."""
        until = self.certificate.valid_to
        return None if until is None else (until - self.today).days

    @property
    def withdrawn(self) -> bool:
        return self.certificate.withdrawal is not None

    @property
    def holds(self) -> bool:
        left = self.days_left
        return not self.withdrawn and (left is None or left >= 0)

    @property
    def ends_soon(self) -> bool:
        """Somebody has to renew it now."""
        left = self.days_left
        return self.holds and not self.renewed and left is not None and left <= rules.WARN_FROM


def certificates_of(session: Session, supplier_id: int) -> list[Certificate]:
    """Newest validity first within a kind."""
    return list(
        session.scalars(
            sa.select(Certificate)
            .where(Certificate.supplier_id == supplier_id)
            .order_by(Certificate.kind, Certificate.valid_from.desc(), Certificate.id)
        )
    )


def certificate_rows(session: Session, supplier_id: int, today: date) -> list[CertificateRow]:
    """All of one supplier's certificates with their papers, newest validity first within a kind."""
    return _rows(session, Certificate.supplier_id == supplier_id, today)


def expiring_certificates(
    session: Session, today: date, *, supplier_id: int | None = None
) -> list[CertificateRow]:
    """Certificates that end within the first warning's days and that nothing goes on from, the
    earliest end first."""
    soon = sa.select(Certificate.supplier_id).where(
        Certificate.valid_to >= today,
        Certificate.valid_to <= today + timedelta(days=rules.WARN_FROM),
    )
    wanted: sa.ColumnElement[bool] = Certificate.supplier_id.in_(soon)
    if supplier_id is not None:
        wanted = sa.and_(wanted, Certificate.supplier_id == supplier_id)
    found = [each for each in _rows(session, wanted, today) if each.ends_soon]
    return sorted(found, key=lambda row: (row.certificate.valid_to, row.certificate.id))


def _rows(session: Session, wanted: sa.ColumnElement[bool], today: date) -> list[CertificateRow]:
    found = list(
        session.scalars(
            sa.select(Certificate)
            .options(joinedload(Certificate.paper), joinedload(Certificate.withdrawal))
            .where(wanted)
            .order_by(Certificate.kind, Certificate.valid_from.desc(), Certificate.id)
        )
    )
    return [CertificateRow(each, today, _goes_on(each, found)) for each in found]


def _goes_on(one: Certificate, others: Sequence[Certificate]) -> bool:
    """A later one of the same kind follows without a gap, or says that it renews this one."""
    if one.valid_to is None:
        return False
    for other in others:
        if other is one or other.withdrawal is not None:
            continue
        if other.paper is not None and other.paper.renews_id == one.id:
            return True
        if (
            (other.supplier_id, other.kind) == (one.supplier_id, one.kind)
            and not rules.stands_alone(one.kind.value)
            and other.valid_from <= one.valid_to + timedelta(days=1)
            and (other.valid_to is None or other.valid_to > one.valid_to)
        ):
            return True
    return False


def certificate_of(session: Session, supplier_id: int, certificate_id: int) -> Certificate:
    """This supplier's certificate with its paper, file and withdrawal; or Missing."""
    found = session.scalar(
        sa.select(Certificate)
        .options(
            joinedload(Certificate.paper).joinedload(CertificatePaper.file),
            joinedload(Certificate.withdrawal),
        )
        .where(Certificate.id == certificate_id, Certificate.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def lapsed_kinds(session: Session, today: date) -> dict[int, set[str]]:
    """Supplier id → kinds of certificate it once held and holds no longer (G24)."""
    held: dict[int, list[tuple[str, date | None]]] = {}
    for supplier_id, kind, until, withdrawn_on in session.execute(
        sa.select(
            Certificate.supplier_id,
            Certificate.kind,
            Certificate.valid_to,
            CertificateWithdrawal.withdrawn_on,
        ).outerjoin(CertificateWithdrawal, CertificateWithdrawal.certificate_id == Certificate.id)
    ):
        ended = until if withdrawn_on is None else withdrawn_on - timedelta(days=1)
        held.setdefault(supplier_id, []).append((kind.value, ended))
    found = {key: rules.lapsed(certificates, today) for key, certificates in held.items()}
    return {key: kinds for key, kinds in found.items() if kinds}

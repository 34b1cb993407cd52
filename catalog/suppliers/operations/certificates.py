"""Certificates are recorded, renewed, withdrawn; somebody hears in time that one ends."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers import rules
from catalog.suppliers.models import (
    Certificate,
    CertificateKind,
    CertificatePaper,
    CertificateWithdrawal,
    Supplier,
)
from catalog.suppliers.operations.letters import tell
from catalog.suppliers.queries import (
    certificate_of,
    expiring_certificates,
    managers_of,
    operators,
    supplier_sheet,
)
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.storage import Blob, keep_file
from kernel.text import plain_number, tidy


def add_certificate(
    session: Session,
    supplier_id: int,
    *,
    kind: CertificateKind,
    number: str,
    valid_from: date,
    valid_to: date | None,
    covers: str = "",
    scan: Blob | None = None,
    renews: Certificate | None = None,
    by: Actor,
    now: datetime,
) -> Certificate:
    """A certificate that the supplier holds, with its scan. The same one again changes nothing."""
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    number = plain_number(number).upper()
    _check(kind, number, valid_from, valid_to)
    known = session.scalar(
        sa.select(Certificate)
        .where(Certificate.kind == kind, Certificate.number == number)
        .order_by(Certificate.valid_from.desc())
        .limit(1)
    )
    if known is not None and not _follows(known, supplier.id, valid_from, renews):
        same = (known.supplier_id, known.valid_from, known.valid_to)
        if same == (supplier.id, valid_from, valid_to):
            return known
        raise Refusal("The certificate %(number)s is recorded already, otherwise.", number=number)
    certificate = Certificate(
        supplier_id=supplier.id,
        kind=kind,
        number=number,
        valid_from=valid_from,
        valid_to=valid_to,
        **stamp(by, now),
    )
    session.add(certificate)
    session.flush()  # so that the paper can point to certificate.id
    if scan is not None or renews is not None or covers:
        file = keep_file(session, scan, by=by, now=now) if scan else None
        session.add(
            CertificatePaper(
                certificate_id=certificate.id,
                file_id=file.id if file else None,
                covers=tidy(covers)[:120],
                renews_id=renews.id if renews else None,
                **stamp(by, now),
            )
        )
        session.flush()
    audit.note(
        session,
        "add_certificate",
        f"supplier:{supplier.id}",
        by=by,
        now=now,
        kind=kind,
        number=number,
    )
    return certificate


def _check(kind: CertificateKind, number: str, valid_from: date, valid_to: date | None) -> None:
    errors = {}
    if not number:
        errors["number"] = Text("Enter the certificate's number.")
    elif len(number) > 40:
        errors["number"] = Text(
            "At most %(most)s characters; this has %(n)s.", most=40, n=len(number)
        )
    elif problem := rules.number_problem(kind.value, number):
        errors["number"] = problem
    if valid_to is not None and valid_to < valid_from:
        errors["valid_to"] = Text("It ends before it begins.")
    if errors:
        raise Invalid(errors)


def _follows(
    known: Certificate, supplier_id: int, valid_from: date, renews: Certificate | None
) -> bool:
    """A renewed licence usually keeps its number and begins later."""
    return renews is not None and known.supplier_id == supplier_id and valid_from > known.valid_from


def renew_certificate(
    session: Session,
    supplier_id: int,
    certificate_id: int,
    *,
    number: str,
    valid_from: date,
    valid_to: date | None,
    scan: Blob | None = None,
    by: Actor,
    now: datetime,
) -> Certificate:
    """The next term of a certificate: same kind, the same or another number, begins later.

    Renewing one that is renewed already is refused; the same renewal again changes nothing.
    """
    get_or_missing(session, Supplier, supplier_id, lock=True)
    old = certificate_of(session, supplier_id, certificate_id)
    done = session.scalar(
        sa.select(Certificate)
        .join(CertificatePaper, CertificatePaper.certificate_id == Certificate.id)
        .where(CertificatePaper.renews_id == old.id)
    )
    if done is not None:
        if (done.number, done.valid_from) == (plain_number(number).upper(), valid_from):
            return done
        raise Refusal("This certificate is renewed already by %(number)s.", number=done.number)
    if valid_from <= old.valid_from:
        raise Invalid({"valid_from": Text("A renewal begins later than what it renews.")})
    return add_certificate(
        session,
        supplier_id,
        kind=old.kind,
        number=number,
        valid_from=valid_from,
        valid_to=valid_to,
        covers=old.paper.covers if old.paper else "",
        scan=scan,
        renews=old,
        by=by,
        now=now,
    )


def withdraw_certificate(
    session: Session, certificate_id: int, *, reason: str, by: Actor, now: datetime
) -> CertificateWithdrawal:
    """From today it counts no longer: it was revoked, or recorded by mistake. Twice changes
    nothing. Whoever calls this takes the goods behind it off sale."""
    certificate = get_or_missing(session, Certificate, certificate_id, lock=True)
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why.")})
    known = session.scalar(
        sa.select(CertificateWithdrawal).where(
            CertificateWithdrawal.certificate_id == certificate.id
        )
    )
    if known is not None:
        return known
    withdrawal = CertificateWithdrawal(
        certificate_id=certificate.id,
        withdrawn_on=business_day(now),
        reason=tidy(reason)[:200],
        **stamp(by, now),
    )
    session.add(withdrawal)
    session.flush()
    audit.note(
        session,
        "withdraw_certificate",
        f"supplier:{certificate.supplier_id}",
        by=by,
        now=now,
        number=certificate.number,
        reason=withdrawal.reason,
    )
    return withdrawal


def warn_of_expiry(session: Session, *, now: datetime) -> int:
    """30, 15 and 7 days before a certificate ends its supplier's managers and the platform get a
    letter, each once; returns how many letters were due."""
    today, letters = business_day(now), 0
    platform = operators(session, today)
    for row in expiring_certificates(session, today):
        certificate = row.certificate
        assert certificate.valid_to is not None
        days = rules.warning_due(certificate.valid_to, today)
        if days is None:
            continue
        supplier = supplier_sheet(session, certificate.supplier_id)
        letters += tell(
            session,
            [*managers_of(session, supplier.organisation_id, today), *platform],
            _subject(certificate),
            _body(certificate, supplier),
            key=f"certificate:{certificate.id}:{days}",
            now=now,
        )
    return letters


def _subject(certificate: Certificate) -> Text:
    return Text(
        "%(kind)s %(number)s ends on %(day)s",
        kind=certificate.kind,
        number=certificate.number,
        day=certificate.valid_to,
    )


def _body(certificate: Certificate, supplier: Supplier) -> Text:
    return Text(
        "%(kind)s %(number)s of %(supplier)s ends on %(day)s. Record the renewed one under"
        " “Certificates” before then. The day after, the goods behind it go off sale by"
        " themselves.",
        kind=certificate.kind,
        number=certificate.number,
        supplier=supplier.organisation.name,
        day=certificate.valid_to,
    )

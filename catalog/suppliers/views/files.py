"""Scans of certificates, mandates and proofs, for whoever may see the supplier's file."""

from __future__ import annotations

from flask import Blueprint, Response

from catalog.suppliers import queries
from catalog.suppliers.models import Supplier
from kernel.actors import COOPERATIVE, Role
from kernel.db import Work
from kernel.errors import Missing, Text
from kernel.regions import prefixes
from kernel.storage import StoredFile
from kernel.web.access import actor, organisation_id, requires
from kernel.web.work import services, session

bp = Blueprint("supplier_files", __name__, url_prefix="/suppliers/<code>")

READERS = (*COOPERATIVE, Role.DISTRICT, Role.OFFICIAL, Role.OPERATOR, Role.AUDITOR)
# A proof names a household and its money: the operator has no business with it.
PROOF_READERS = (*COOPERATIVE, Role.DISTRICT, Role.AUDITOR)


@bp.get("/certificates/<int:certificate_id>/scan")
@requires(*READERS)
def scan(code: str, certificate_id: int) -> Response:
    supplier = visible(session(), code)
    certificate = queries.certificate_of(session(), supplier.id, certificate_id)
    return _sent(certificate.paper.file if certificate.paper else None)


@bp.get("/links/<int:link_id>/contract")
@requires(*PROOF_READERS)
def contract(code: str, link_id: int) -> Response:
    return _sent(queries.link_of(session(), visible(session(), code).id, link_id).file)


@bp.get("/links/<int:link_id>/payments/<int:payment_id>/proof")
@requires(*PROOF_READERS)
def proof(code: str, link_id: int, payment_id: int) -> Response:
    link = queries.link_of(session(), visible(session(), code).id, link_id)
    return _sent(next((each.file for each in link.payments if each.id == payment_id), None))


@bp.get("/changes/<number>/proof")
@requires(*READERS)
def change_proof(code: str, number: str) -> Response:
    return _sent(queries.change_of(session(), visible(session(), code).id, number).file)


@bp.get("/mandates/<int:mandate_id>/paper")
@requires(*READERS)
def mandate_paper(code: str, mandate_id: int) -> Response:
    return _sent(queries.mandate_of(session(), visible(session(), code).id, mandate_id).file)


def visible(work: Work, code: str) -> Supplier:
    """The supplier with this code as far as the reader's office or organisation reaches."""
    by = actor()
    if by.role in COOPERATIVE:
        own = queries.supplier_of(work, organisation_id())
        if own.code != code:
            raise Missing(Text("There is nothing at this address, or it is not yours."))
        return own
    inside = None
    if by.role in (Role.DISTRICT, Role.OFFICIAL):
        inside = prefixes(work, by.region_code or "")
    return queries.supplier_by_code(work, code, region_prefixes=inside)


def _sent(file: StoredFile | None) -> Response:
    if file is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return Response(
        services().storage.get(file.sha256),
        mimetype=file.media_type,
        headers={
            "Content-Disposition": "inline",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )

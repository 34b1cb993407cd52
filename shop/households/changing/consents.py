"""Consents: given with a signed paper, withdrawn at once."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.households import forms, operations
from catalog.households.models import ConsentPurpose, ConsentScope
from catalog.households.rules import Part, who_changes
from kernel.storage import Blob
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, services, today
from shop.households.changing.frame import HOME, Answer, Errors, bp, change, form_page
from shop.households.reach import Home


@bp.get(f"{HOME}/consents/new")
@requires(*who_changes(Part.CONSENTS))
def new_consent(desk: str, code: str) -> str:
    return _consent_page(desk, code, {})


def _consent_page(desk: str, code: str, errors: Errors) -> str:
    return form_page(
        "consent", desk, code, Part.CONSENTS, errors,
        purposes=ConsentPurpose, scopes=ConsentScope, day=today(),
        asked=request.args.get("purpose", ConsentPurpose.ALIAS.value),
    )  # fmt: skip


@bp.post(f"{HOME}/consents/new")
@requires(*who_changes(Part.CONSENTS))
@once
def give_consent(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        values, files = forms.read_consent(request.form, request.files, today=today())
        blobs: dict[str, Any] = {name: _put(*file) for name, file in files.items()}
        operations.give_consent(work, home.id, **values, **blobs, by=actor(), now=now())

    return change(
        desk, code, Part.CONSENTS, act, lambda errors: _consent_page(desk, code, errors),
        said=_("The consent is kept; what it allows is public now."), anchor="consents",
    )  # fmt: skip


def _put(content: bytes, media_type: str, name: str) -> Blob:
    return services().storage.put(content, media_type=media_type, name=name)


@bp.post(f"{HOME}/consents/<int:consent_id>/withdraw")
@requires(*who_changes(Part.CONSENTS))
@once
def withdraw(desk: str, code: str, consent_id: int) -> Answer:
    def act(work: Session, home: Home) -> None:
        operations.withdraw_consent(work, consent_id, household_id=home.id, by=actor(), now=now())

    return change(
        desk, code, Part.CONSENTS, act, lambda errors: _consent_page(desk, code, errors),
        said=_("The consent is withdrawn; nothing of it is public any more."), anchor="consents",
    )  # fmt: skip

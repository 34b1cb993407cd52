"""What a household lets us show in public, and takes back."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import (
    Consent,
    ConsentPurpose,
    ConsentScope,
    Household,
    HouseholdMember,
)
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Text
from kernel.periods import business_day
from kernel.storage import Blob, keep_file
from kernel.text import tidy


def give_consent(
    session: Session,
    household_id: int,
    *,
    purpose: ConsentPurpose,
    content: str,
    given_on: date,
    scope: ConsentScope = ConsentScope.WEBSITE,
    evidence: Blob | None = None,
    picture: Blob | None = None,
    children_absent: bool = False,
    by: Actor,
    now: datetime,
) -> Consent:
    """What may be shown in public from now on; an earlier consent of that purpose ends.

    `evidence` is the signed paper. A photo needs its picture, its paper, and somebody's word that
    no child can be made out on it. The words may name nobody and tell nobody's state (§5.5). The
    same consent again changes nothing.
    """
    household = get_or_missing(session, Household, household_id, lock=True)
    content = tidy(content)
    errors = _problems(session, household, purpose, content, evidence, picture, children_absent)
    if given_on > business_day(now):
        errors["given_on"] = Text("Choose %(day)s or earlier.", day=business_day(now))
    if errors:
        raise Invalid(errors)
    for earlier in session.scalars(
        sa.select(Consent).where(
            Consent.household_id == household.id,
            Consent.purpose == purpose,
            Consent.withdrawn_on.is_(None),
        )
    ):
        same = (earlier.content, earlier.given_on, earlier.scope or ConsentScope.WEBSITE)
        if same == (content, given_on, scope) and picture is None and evidence is None:
            return earlier
        earlier.withdrawn_on, earlier.withdrawn_by_id = business_day(now), by.user_id
    kept = {
        name: keep_file(session, blob, by=by, now=now).id
        for name, blob in (("evidence_id", evidence), ("picture_id", picture))
        if blob is not None
    }
    consent = Consent(
        household_id=household.id,
        purpose=purpose,
        content=content,
        given_on=given_on,
        scope=scope,
        **kept,
        **stamp(by, now),
    )
    session.add(consent)
    session.flush()  # so that it can be withdrawn by its id
    audit.note(
        session,
        "give_consent",
        f"household:{household.id}",
        by=by,
        now=now,
        purpose=purpose,
        scope=scope,
        paper=evidence.sha256 if evidence else "",
    )
    return consent


def _problems(
    session: Session,
    household: Household,
    purpose: ConsentPurpose,
    content: str,
    evidence: Blob | None,
    picture: Blob | None,
    children_absent: bool,
) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    photo = purpose is ConsentPurpose.PHOTO
    names = session.scalars(
        sa.select(HouseholdMember.name).where(HouseholdMember.household_id == household.id)
    )
    if not content and not photo:
        errors["content"] = Text("Please fill this in.")
    elif problem := rules.told_too_much(content, [household.name, *names]):
        errors["content"] = problem
    if photo and picture is None:
        errors["picture"] = Text("Choose the picture that may be shown.")
    if photo and evidence is None:
        errors["evidence"] = Text("A photo is shown only with the signed paper.")
    if photo and not children_absent:
        errors["children_absent"] = Text(
            "Children are never shown: make sure that none can be made out, and tick the box."
        )
    return errors


def withdraw_consent(
    session: Session,
    consent_id: int,
    *,
    household_id: int | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """It disappears from every public page at once. Taking it back twice changes nothing.

    With `household_id` the consent must be that household's, or it does not exist.
    """
    consent = get_or_missing(session, Consent, consent_id, lock=True)
    if household_id is not None and consent.household_id != household_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if consent.withdrawn_on is None:
        consent.withdrawn_on, consent.withdrawn_by_id = business_day(now), by.user_id
    audit.note(session, "withdraw_consent", f"household:{consent.household_id}", by=by, now=now)

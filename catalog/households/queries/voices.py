"""What households let us say and show of them in public: the only way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Consent, ConsentPurpose, Household
from catalog.households.queries.finding import short_name
from kernel.errors import Missing, Text
from kernel.regions import Region
from kernel.storage import StoredFile


@dataclass(frozen=True, slots=True)
class Voice:
    """What a household let us say of it in public: an alias, perhaps a story, perhaps a photo (the
    hash of its bytes, with what it shows). Never its name."""

    alias: str
    village: str
    story: str
    photo: str = ""
    caption: str = ""


def consented_voices(session: Session, household_ids: Sequence[int]) -> list[Voice]:
    """Only households that gave an alias and have not taken it back."""
    consents: dict[int, dict[ConsentPurpose, tuple[str, str]]] = {}
    places: dict[int, str] = {}
    for household_id, purpose, content, village, picture in session.execute(
        sa.select(
            Consent.household_id, Consent.purpose, Consent.content, Region.name, StoredFile.sha256
        )
        .join(Household, Household.id == Consent.household_id)
        .join(Region, Region.code == Household.region_code)
        .outerjoin(StoredFile, StoredFile.id == Consent.picture_id)
        .where(Consent.household_id.in_(household_ids), Consent.withdrawn_on.is_(None))
        .order_by(Consent.household_id, Consent.id)
    ):
        consents.setdefault(household_id, {})[purpose] = (content, picture or "")
        places[household_id] = short_name(village)
    return [
        _voice(given, places[key])
        for key, given in consents.items()
        if ConsentPurpose.ALIAS in given
    ]


def _voice(given: dict[ConsentPurpose, tuple[str, str]], village: str) -> Voice:
    nothing = ("", "")
    caption, photo = given.get(ConsentPurpose.PHOTO, nothing)
    return Voice(
        alias=given[ConsentPurpose.ALIAS][0],
        village=village,
        story=given.get(ConsentPurpose.STORY, nothing)[0],
        photo=photo,
        caption=caption if photo else "",
    )


def voices_in(session: Session, village: str) -> list[Voice]:
    """What households of a village let us say of them."""
    ids = session.scalars(
        sa.select(Consent.household_id)
        .join(Household, Household.id == Consent.household_id)
        .where(
            Household.region_code == village,
            Consent.purpose == ConsentPurpose.ALIAS,
            Consent.withdrawn_on.is_(None),
        )
        .distinct()
    ).all()
    return consented_voices(session, ids) if ids else []


def public_picture(session: Session, sha256: str) -> StoredFile:
    """A picture that somebody consented to show and has not taken back; or Missing."""
    found = session.scalar(
        sa.select(StoredFile)
        .join(Consent, Consent.picture_id == StoredFile.id)
        .where(
            StoredFile.sha256 == sha256,
            Consent.purpose == ConsentPurpose.PHOTO,
            Consent.withdrawn_on.is_(None),
        )
        .limit(1)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def paper_of(session: Session, household_id: int, consent_id: int) -> StoredFile:
    """The signed paper of a household's consent; or Missing."""
    found = session.scalar(
        sa.select(StoredFile)
        .join(Consent, Consent.evidence_id == StoredFile.id)
        .where(Consent.id == consent_id, Consent.household_id == household_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found

"""A cooperative proposes how a product is described and packed, and submits it.

The shop shows what was admitted last until the operator has decided (`deciding`). Prices of packs
that are on sale are changed in `pricing`; a rise that the operator must see travels in a version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products import queries
from catalog.products.models import (
    Category,
    Pack,
    Product,
    ProductPhoto,
    ProductState,
    ProductVersion,
    VersionState,
)
from catalog.products.operations.offering import locked
from catalog.products.rules.versions import problems
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.pictures import Rendered, keep_picture

MOST_PHOTOS = 8


def save_version(
    session: Session,
    product_id: int,
    content: Mapping[str, Any],
    *,
    edition: int | None = None,
    by: Actor,
    now: datetime,
) -> ProductVersion:
    """What is written so far, kept; the shop shows nothing of it.

    `edition` is that of the version the form was opened with: if somebody saved since, nothing is
    overwritten. A version that waits must be withdrawn first. The same again changes nothing.
    """
    product = locked(session, product_id)
    version = _editable(session, product, by, now)
    if edition is not None and edition != version.edition:
        raise Refusal("Somebody else saved this product meanwhile; open it again and compare.")
    merged = {**version.content, **content}
    if found := problems(merged):
        raise Invalid(found)
    get_or_missing(session, Category, merged["category_id"])
    if merged != version.content:
        version.content = merged
        version.edition += 1
    session.flush()
    audit.note(session, "save_version", f"product:{product.id}", by=by, now=now, n=version.number)
    return version


def add_photos(
    session: Session, product_id: int, rendered: Sequence[Rendered], *, by: Actor, now: datetime
) -> list[ProductPhoto]:
    """Photos join the version that is being written, after those it has; the shop shows them when
    it is admitted."""
    product = locked(session, product_id)
    version = _editable(session, product, by, now)
    if len(version.content["photos"]) + len(rendered) > MOST_PHOTOS:
        raise Invalid({"photos": Text("A product has at most %(most)s photos.", most=MOST_PHOTOS)})
    made = [
        ProductPhoto(
            product_id=product.id,
            picture_id=keep_picture(session, each, by=by, now=now).id,
            position=None,
            **stamp(by, now),
        )
        for each in rendered
    ]
    session.add_all(made)
    session.flush()  # so that the version can name photo.id
    said = [{"id": photo.id, "alt_zh": "", "alt_en": ""} for photo in made]
    version.content = {**version.content, "photos": [*version.content["photos"], *said]}
    version.edition += 1
    session.flush()
    audit.note(session, "add_photos", f"product:{product.id}", by=by, now=now, n=len(made))
    return made


def propose_price(
    session: Session,
    pack_id: int,
    *,
    value: int,
    steps: Sequence[tuple[int, int]] = (),
    by: Actor,
    now: datetime,
) -> ProductVersion:
    """A price the operator has to see goes into the version that is being written."""
    pack = get_or_missing(session, Pack, pack_id)
    product = locked(session, pack.product_id)
    version = _editable(session, product, by, now)
    said = {"pack_id": pack.id, "value": value, "steps": [list(each) for each in steps]}
    others = [each for each in version.content.get("prices", []) if each["pack_id"] != pack.id]
    version.content = {**version.content, "prices": [*others, said]}
    version.edition += 1
    session.flush()
    audit.note(session, "propose_price", f"product:{product.id}", by=by, now=now, pack=pack.id)
    return version


def _editable(session: Session, product: Product, by: Actor, now: datetime) -> ProductVersion:
    """The version that is being written; a new one begins with what came back, else with what the
    shop shows."""
    if product.state is ProductState.ENDED:
        raise Refusal("%(product)s ended; it is not changed any more.", product=product.name_zh)
    version = queries.open_version(session, product.id)
    if version is not None:
        if version.state is VersionState.WAITING:
            raise Refusal("It waits for the operator; withdraw it to go on writing.")
        return version
    last = session.scalar(
        sa.select(ProductVersion)
        .where(ProductVersion.product_id == product.id)
        .order_by(ProductVersion.number.desc())
        .limit(1)
    )
    decided = queries.last_decided(session, product.id)
    sheet = queries.product_sheet_of(session, None, product.id)
    version = ProductVersion(
        product_id=product.id,
        number=last.number + 1 if last else 1,
        state=VersionState.DRAFT,
        content=dict(queries.content_to_edit(sheet, None, decided)),
        before=None,
        edition=1,
        submitted_at=None,
        decided_at=None,
        reject_reasons=[],
        **stamp(by, now),
    )
    session.add(version)
    session.flush()
    return version


def submit_version(
    session: Session, product_id: int, *, by: Actor, now: datetime
) -> ProductVersion:
    """It waits for the operator from now on. Submitting twice changes nothing."""
    product = locked(session, product_id)
    version = queries.open_version(session, product.id)
    if version is None:
        raise Refusal("Nothing was changed, so there is nothing to submit.")
    if version.state is VersionState.WAITING:
        return version
    if reasons := _incomplete(session, product, version):
        raise Refusal("This product cannot be submitted yet.", tuple(reasons))
    version.state = VersionState.WAITING
    version.submitted_at, version.submitted_by_id = now, by.user_id
    if product.state is ProductState.DRAFT:
        product.state = ProductState.IN_REVIEW
    session.flush()
    audit.note(session, "submit_version", f"product:{product.id}", by=by, now=now, n=version.number)
    return version


def _incomplete(session: Session, product: Product, version: ProductVersion) -> list[Text]:
    reasons = list(problems(version.content).values())
    packs = sa.select(Pack.id).where(Pack.product_id == product.id, Pack.on_sale).limit(1)
    if not version.content["packs"] and session.scalar(packs) is None:
        reasons.append(Text("It has no pack with a price."))
    if any(not each["alt_zh"] for each in version.content["photos"]):
        reasons.append(Text("Say of every photo in a few words what it shows."))
    return reasons


def withdraw_version(
    session: Session, product_id: int, *, by: Actor, now: datetime
) -> ProductVersion:
    """Back from the operator's pile, to go on writing. Nothing in the shop changes."""
    product = locked(session, product_id)
    version = queries.open_version(session, product.id)
    if version is None or version.state is not VersionState.WAITING:
        raise Refusal("Nothing of this product waits for the operator.")
    version.state = VersionState.DRAFT
    version.edition += 1
    if product.state is ProductState.IN_REVIEW:
        product.state = ProductState.DRAFT
    session.flush()
    audit.note(session, "withdraw_version", f"product:{product.id}", by=by, now=now)
    return version

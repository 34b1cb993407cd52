"""A cooperative proposes how a product is described and packed; the operator admits or returns it.

The shop shows what was admitted last until the operator has decided. Prices of packs that are on
sale are changed in `pricing`; a rise that needs the operator's eyes travels in a version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products import queries
from catalog.products.models import (
    Category,
    Grade,
    Pack,
    Product,
    ProductPhoto,
    ProductState,
    ProductVersion,
    RejectReason,
    Shelf,
    VersionState,
)
from catalog.products.operations.describing import add_pack, words_of
from catalog.products.operations.offering import locked, show_in_shop
from catalog.products.operations.pricing import set_price
from catalog.products.rules.versions import problems
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.periods import business_day
from kernel.pictures import Rendered, keep_picture
from kernel.text import tidy

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


def admit_version(
    session: Session, version_id: int, *, edition: int, by: Actor, now: datetime
) -> ProductVersion:
    """The shop shows it from now on; a product that waited for its first review is on sale then.

    `edition` is the one that was read: what was changed meanwhile has to be read again.
    """
    version, product = _deciding(session, version_id, edition, by)
    version.before = queries.content_of(queries.product_sheet_of(session, None, product.id))
    _apply(session, product, version.content, by, now)
    if product.state is ProductState.IN_REVIEW:
        # Read again: making packs has refreshed it without its supplier.
        show_in_shop(session, locked(session, product.id), business_day(now))
    _decide(session, version, VersionState.ADMITTED, by, now)
    audit.note(session, "admit_version", f"product:{product.id}", by=by, now=now, n=version.number)
    return version


def return_version(
    session: Session,
    version_id: int,
    *,
    edition: int,
    reasons: Sequence[RejectReason],
    remark: str,
    by: Actor,
    now: datetime,
) -> ProductVersion:
    """Back to the cooperative with reasons and a remark; the shop shows what it showed."""
    errors = {}
    if not reasons:
        errors["reasons"] = Text("Choose at least one reason.")
    if not tidy(remark):
        errors["remark"] = Text("Say what has to be changed.")
    if errors:
        raise Invalid(errors)
    version, product = _deciding(session, version_id, edition, by)
    version.reject_reasons = [each.value for each in reasons]
    version.remark = tidy(remark)[:300]
    if product.state is ProductState.IN_REVIEW:
        product.state = ProductState.DRAFT
    _decide(session, version, VersionState.RETURNED, by, now)
    audit.note(session, "return_version", f"product:{product.id}", by=by, now=now, n=version.number)
    return version


def _deciding(
    session: Session, version_id: int, edition: int, by: Actor
) -> tuple[ProductVersion, Product]:
    found = get_or_missing(session, ProductVersion, version_id)
    product = locked(session, found.product_id)
    version = get_or_missing(session, ProductVersion, version_id, lock=True)
    if version.state is not VersionState.WAITING or version.edition != edition:
        raise Refusal("This was changed or decided meanwhile; open it again.")
    if by.user_id is not None and by.user_id == version.submitted_by_id:
        raise Refusal("Whoever submitted it cannot decide it; ask a colleague.")
    return version, product


def _decide(
    session: Session, version: ProductVersion, state: VersionState, by: Actor, now: datetime
) -> None:
    version.state = state
    version.decided_at, version.decided_by_id = now, by.user_id
    session.flush()


def _apply(
    session: Session, product: Product, content: Mapping[str, Any], by: Actor, now: datetime
) -> None:
    """The product reads as the version says; the villages it is found by stay."""
    old = session.get(Category, product.category_id)
    category = get_or_missing(session, Category, content["category_id"])
    assert old is not None
    said = (product.name_zh, product.name_en, product.summary_zh, product.summary_en)
    learnt = product.search_text.removeprefix(words_of(old, *said))
    for field in (
        "name_zh", "name_en", "category_id", "summary_zh", "summary_en", "story_zh", "story_en",
        "storage_zh", "storage_en", "shelf_life_days", "harvest", "stored",
    ):  # fmt: skip
        setattr(product, field, content[field])
    for field in ("sold_from", "sold_to"):
        day = content.get(field)
        setattr(product, field, date.fromisoformat(day) if day else None)
    said = (product.name_zh, product.name_en, product.summary_zh, product.summary_en)
    product.search_text = words_of(category, *said) + learnt
    session.flush()
    _show_photos(session, product, content["photos"])
    for number, each in enumerate(content["packs"]):
        _make_pack(session, product, each, number, by, now)
    for each in content.get("prices", []):
        pack = session.get(Pack, each["pack_id"])
        if pack is not None and pack.product_id == product.id:
            set_price(session, pack, value=each["value"], steps=each["steps"], by=by, now=now)
    session.flush()


def _show_photos(session: Session, product: Product, said: Sequence[Mapping[str, Any]]) -> None:
    """In this order. Places are freed first, since no two photos may stand in one."""
    photos = {
        photo.id: photo
        for photo in session.scalars(
            sa.select(ProductPhoto)
            .where(ProductPhoto.product_id == product.id)
            .options(joinedload(ProductPhoto.picture))
        )
    }
    for photo in photos.values():
        photo.position = None
    session.flush()
    shown = [each for each in said if each["id"] in photos]
    for position, each in enumerate(shown):
        photo = photos[each["id"]]
        photo.position = position
        photo.alt_zh, photo.alt_en = each["alt_zh"], each["alt_en"]
    product.gallery = queries.gallery([photos[each["id"]] for each in shown])
    session.flush()


def _make_pack(
    session: Session,
    product: Product,
    said: Mapping[str, Any],
    number: int,
    by: Actor,
    now: datetime,
) -> None:
    citizens = said["shelf"] == Shelf.CITIZENS.value
    add_pack(
        session,
        product.id,
        shelf=Shelf(said["shelf"]),
        grade=Grade(said["grade"]),
        name_zh=said["name_zh"],
        name_en=said["name_en"],
        content=said["content"],
        price=Money(said["value"]) if citizens else None,
        unit_price=None if citizens else Price(said["value"]),
        position=50 + number,
        steps=[(least, value) for least, value in said.get("steps", [])],
        by=by,
        now=now,
    )

"""The operator admits a version, and the shop shows it; or returns it with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products import queries, rules
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
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, Price
from kernel.periods import business_day
from kernel.text import tidy


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
    known = set(rules.parts_of(words_of(old, *said)))
    learnt = [each for each in rules.parts_of(product.search_text) if each not in known]
    for field in (
        "name_zh", "name_en", "category_id", "summary_zh", "summary_en", "story_zh", "story_en",
        "storage_zh", "storage_en", "shelf_life_days", "harvest", "stored",
    ):  # fmt: skip
        setattr(product, field, content[field])
    for field in ("sold_from", "sold_to"):
        day = content.get(field)
        setattr(product, field, date.fromisoformat(day) if day else None)
    said = (product.name_zh, product.name_en, product.summary_zh, product.summary_en)
    product.search_text = f" {rules.BORDER} ".join([words_of(category, *said), *learnt])
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

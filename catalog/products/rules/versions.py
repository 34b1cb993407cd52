"""What a version of a product may say, and how two of them differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.products.rules.pricing import step_problem
from kernel.errors import Text

# Field → (its name on the page, most characters; 0: not a text). In the order of the form.
FIELDS: dict[str, tuple[Text, int]] = {
    "name_zh": (Text("Name in Chinese"), 60),
    "name_en": (Text("Name in English"), 80),
    "category_id": (Text("Category"), 0),
    "summary_zh": (Text("In short, in Chinese"), 200),
    "summary_en": (Text("In short, in English"), 300),
    "story_zh": (Text("Story in Chinese"), 4000),
    "story_en": (Text("Story in English"), 6000),
    "storage_zh": (Text("Keeping it, in Chinese"), 200),
    "storage_en": (Text("Keeping it, in English"), 300),
    "shelf_life_days": (Text("Shelf life in days"), 0),
    "harvest": (Text("Ripe"), 0),
    "stored": (Text("From the store"), 0),
    "sold_from": (Text("Sold from"), 0),
    "sold_to": (Text("Sold until"), 0),
}
REQUIRED = ("name_zh", "name_en", "summary_zh", "summary_en")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that reads differently."""

    field: str
    name: Text
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every field of the two that differs, in the order of the form; packs and photos last."""
    found = [
        Change(field, name, before.get(field), after.get(field))
        for field, (name, _) in FIELDS.items()
        if before.get(field) != after.get(field)
    ]
    if before.get("photos", []) != after.get("photos", []):
        found.append(
            Change("photos", Text("Photos"), before.get("photos", []), after.get("photos", []))
        )
    if after.get("packs"):
        found.append(Change("packs", Text("New packs"), [], after["packs"]))
    return found


def problems(content: Mapping[str, Any]) -> dict[str, Text]:
    """Field → what is wrong with it. Packs are `pack-1`, `pack-2`, … in their order."""
    found: dict[str, Text] = {}
    for field, (_, most) in FIELDS.items():
        value = content.get(field)
        if field in REQUIRED and not value:
            found[field] = Text("Please fill this in.")
        elif most and len(value or "") > most:
            found[field] = Text(
                "At most %(most)s characters; this has %(n)s.", most=most, n=len(value or "")
            )
    if (content.get("shelf_life_days") or 0) < 1:
        found["shelf_life_days"] = Text("Enter at least one day.")
    begin, end = content.get("sold_from"), content.get("sold_to")
    if begin and end and end < begin:
        found["sold_to"] = Text("It ends before it begins.")
    for number, pack in enumerate(content.get("packs", []), 1):
        if problem := _pack_problem(pack):
            found[f"pack-{number}"] = problem
    return found


def _pack_problem(pack: Mapping[str, Any]) -> Text | None:
    if not pack["name_zh"] or not pack["name_en"]:
        return Text("A pack has a name in Chinese and in English.")
    if pack["content"] <= 0:
        return Text("A pack holds something.")
    if pack["value"] <= 0:
        return Text("Enter a price above zero.")
    return step_problem(pack["value"], pack.get("steps", []), pack["content"])

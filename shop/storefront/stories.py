"""The words of the home page's stories, read once from `data/stories.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from catalog.lots.queries import ShelfRow
from config import ROOT


@dataclass(frozen=True, slots=True)
class Story:
    headline_zh: str
    headline_en: str
    deck_zh: str
    deck_en: str


@cache
def stories() -> dict[str, Story]:
    text = (ROOT / "data" / "stories.toml").read_text(encoding="utf-8")
    return {slug: Story(**words) for slug, words in tomllib.loads(text).items()}


def story_of(row: ShelfRow) -> Story:
    """The product's story, or its name and summary where nobody wrote one."""
    return stories().get(row.slug) or Story(
        row.name_zh, row.name_en, row.summary_zh, row.summary_en
    )


def chosen(rows: Sequence[ShelfRow]) -> list[ShelfRow]:
    """The two that lead: harvested now and there to buy, first those with a story to tell."""
    told = stories()
    offered = [row for row in rows if row.packs_free and row.in_season]
    return sorted(
        offered, key=lambda row: (not row.in_harvest, row.slug not in told, rows.index(row))
    )[:2]

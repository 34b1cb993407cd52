"""What somebody may have meant who found nothing: a name that sounds alike, or is spelt nearly so.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.text import initials, pinyin, syllables, tokens

# Only so many of the names that look most alike are compared letter by letter.
LOOKED_AT = 40
LONGEST = 24


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it may be asked for, with the forms under which it is compared."""

    zh: str
    en: str
    forms: tuple[str, ...]
    pairs: frozenset[str]


def name_of(zh: str, en: str) -> Name:
    """The forms of a name: its sound from every syllable on, its initials, its English words."""
    heard = [each for each in syllables(zh) if each.isascii()]
    sounds = ["".join(heard[at:])[:LONGEST] for at in range(len(heard))]
    words = [each[:LONGEST] for each in tokens(en) if len(each) > 2]
    forms = tuple(dict.fromkeys([*sounds, initials(zh), *words]))
    return Name(zh, en, forms, frozenset(pair for form in forms for pair in _pairs(form)))


def nearest(text: str, names: Iterable[Name], *, most: int = 3) -> list[Name]:
    """The names nearest to what was typed, the nearest first; none when nothing is near.

    Chinese is compared by its sound, so a wrong character that sounds right (罗卜 for 萝卜) is no
    mistake at all. One letter in four may be wrong.
    """
    typed = "".join(pinyin(each) for each in tokens(text))[:LONGEST]
    if len(typed) < 2:
        return []
    pairs = set(_pairs(typed))
    alike = sorted(
        ((len(pairs & name.pairs), at, name) for at, name in enumerate(names)),
        key=lambda each: (-each[0], each[1]),
    )[:LOOKED_AT]
    allowed = max(1, len(typed) // 4) if len(typed) > 2 else 0
    found = [
        (distance, -shared, at, name)
        for shared, at, name in alike
        if shared and (distance := _nearest_form(typed, name.forms)) <= allowed
    ]
    return [name for _, _, _, name in sorted(found, key=lambda each: each[:3])][:most]


def _pairs(word: str) -> list[str]:
    """The word's neighbouring letters, and its first alone: `luo` → l lu uo."""
    return [word[:1], *(word[at : at + 2] for at in range(len(word) - 1))]


def _nearest_form(typed: str, forms: Sequence[str]) -> int:
    """The fewest letters to change, against each form or as much of its beginning as was typed."""
    return min(
        (
            distance(typed, form[:length])
            for form in forms
            for length in {len(typed) - 1, len(typed), len(typed) + 1, len(form)}
            if 0 < length <= len(form) and abs(length - len(typed)) <= 2
        ),
        default=len(typed),
    )


def distance(one: str, other: str) -> int:
    """Letters to put in, leave out, exchange, or swap with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for n, known in enumerate(other, 1):
            best = min(before[n] + 1, row[n - 1] + 1, before[n - 1] + (letter != known))
            if at > 1 and n > 1 and letter == other[n - 2] and one[at - 2] == known:
                best = min(best, last[n - 2] + 1)
            row.append(best)
    return row[-1]

"""What makes a product findable, and when it is in season. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from kernel.text import initials, pinyin, syllables, tokens

# Stands between two texts, so that no phrase is found across their border; a letter that no
# token has, so that nobody can search for it.
BORDER = "ω"
MOST_SEARCHED = 64


def search_text(texts: Iterable[str], names: Iterable[str]) -> str:
    """Everything a product is found by: characters and words of `texts` and `names`; of the names
    also the pinyin and the initials, from every syllable on (`luobo` and `lb` find 太空萝卜)."""
    parts = [tokens(text) for text in (*names, *texts)]
    for name in names:
        parts += _spoken(name)
    return f" {BORDER} ".join(" ".join(part) for part in parts if part)


def village_words(names: Iterable[str]) -> str:
    """The same for places that are learnt later, when their goods come in."""
    return search_text((), names)


def _spoken(name: str) -> list[list[str]]:
    """`太空萝卜` → tai kong luo bo · taikongluobo kongluobo luobo bo · tklb klb lb b

    A character that is read in several ways (长, 行) is found as its whole name reads it and as
    the rest of the name alone would.
    """
    spoken: list[list[str]] = []
    for run in _chinese_runs(name):
        heard = syllables(run)
        spoken.append(heard)
        spoken.append([pinyin(run[i:]) for i in range(len(run))])
        spoken.append([initials(run[i:]) for i in range(len(run))])
        whole = ["".join(heard[i:]) for i in range(len(heard))]
        letters = ["".join(each[0] for each in heard[i:]) for i in range(len(heard))]
        known = {*spoken[-1], *spoken[-2]}
        spoken.append([each for each in (*whole, *letters) if each not in known])
    return [each for each in spoken if each]


def _chinese_runs(text: str) -> list[str]:
    runs, run = [], ""
    for character in text:
        if not character.isascii() and len(tokens(character)) == 1:
            run += character
        elif run:
            runs.append(run)
            run = ""
    return [*runs, run] if run else runs


def parts_of(search_text: str) -> list[str]:
    """The texts a product is found by, apart again."""
    return search_text.split(f" {BORDER} ") if search_text else []


def phrases(text: str) -> list[list[str]]:
    """What is searched for: every word apart, each as the sequence of its tokens.

    All must be found, each in that order; a word that ends in Latin letters may go on.
    """
    words = text[:MOST_SEARCHED].split()
    return [found for found in (tokens(word) for word in words) if found]


def fts5_query(text: str) -> str | None:
    """The phrases for SQLite's FTS5, or None when nothing can be searched."""
    found = [
        f'"{" ".join(phrase)}"' + (" *" if _goes_on(phrase) else "") for phrase in phrases(text)
    ]
    return " AND ".join(found) or None


def tsquery(text: str) -> str | None:
    """The same for PostgreSQL's to_tsquery."""
    found = [
        " <-> ".join(f"'{token}'" for token in phrase) + (":*" if _goes_on(phrase) else "")
        for phrase in phrases(text)
    ]
    return " & ".join(found) or None


def _goes_on(phrase: Sequence[str]) -> bool:
    return phrase[-1].isascii()


def in_season(season: Sequence[Sequence[str]], today: date) -> bool:
    """Whether the day lies in one of `[["10-10", "12-20"], …]`; a span may run over New Year."""
    day = today.strftime("%m-%d")
    return any(
        start <= day <= end if start <= end else day >= start or day <= end for start, end in season
    )

"""Forgiving what people type, and the tokens that make Chinese text findable."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"[㐀-鿿豈-﫿]|[a-zA-Z0-9]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]"
)


def tidy(text: str) -> str:
    """Full-width forms become plain, invisible characters go, outer and doubled spaces go.

    `１２．５` → `12.5`. Chinese punctuation inside sentences stays as it was typed.
    """
    text = _INVISIBLE.sub("", text)
    text = "".join(_narrow(c) for c in text).replace("\u3000", " ")
    return re.sub(r"[ \t]+", " ", text).strip()


def _narrow(character: str) -> str:
    if "！" <= character <= "～" and character not in "，。：；！？（）":
        return chr(ord(character) - 0xFEE0)
    return unicodedata.normalize("NFC", character)


def plain_number(text: str) -> str:
    """For fields that hold a number or code: every full-width form, space and hyphen forgiven."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return re.sub(r"[\s\u3000]", "", text).replace("，", ",").replace("。", ".")


def tokens(text: str) -> list[str]:
    """Single Chinese characters and lower-cased runs of letters and digits, in order."""
    return [token.lower() for token in _TOKEN.findall(unicodedata.normalize("NFKC", text))]


def pinyin(text: str) -> str:
    """`高山大米` → `gaoshandami`; also the sort key of names."""
    return "".join(syllables(text))


def initials(text: str) -> str:
    """`高山大米` → `gsdm`"""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).lower()


def syllables(text: str) -> list[str]:
    """`萝卜` → `["luo", "bo"]`"""
    # Its dictionaries weigh 50 MB: a process that only reads never loads them.
    from pypinyin import lazy_pinyin

    return [syllable.lower() for syllable in lazy_pinyin(text)]

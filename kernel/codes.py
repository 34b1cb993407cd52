"""The country's codes: regions, organisations (USCC), identity numbers; and our own public codes.

Algorithms and vectors: domain.md §6.1–6.4.
"""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from random import Random
from uuid import UUID

from kernel.errors import Text

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = [pow(3, i, 31) for i in range(17)]
_ORG_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]
_IDENTITY_WEIGHTS = [pow(2, 17 - i, 11) for i in range(17)]
# Two digits each: every province, municipality, region and special region.
_PROVINCES = {
    *(str(n) for n in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47))),
    *(str(n) for n in (*range(50, 55), *range(61, 66), 71, 81, 82, 83)),
}

# Crockford's alphabet: no I, L, O, U, so a code survives a telephone and an old printer.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CONFUSED = str.maketrans("OILU", "011V")


def uscc_problem(code: str) -> Text | None:
    """Why this is no unified social credit code (GB 32100-2015), or None if it is one."""
    code = code.strip().upper()
    if len(code) != 18:
        return Text("A unified social credit code has 18 characters; this has %(n)s.", n=len(code))
    if strange := sorted({c for c in code if c not in USCC_ALPHABET}):
        return Text(
            "The letter %(letters)s never occurs in such a code.", letters="、".join(strange)
        )
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(code[:17], _USCC_WEIGHTS, strict=True))
    if USCC_ALPHABET[(31 - total % 31) % 31] != code[17]:
        return Text("The last character does not match the others; please check each one.")
    return None


def uscc_with_check(body: str) -> str:
    """17 characters → a whole code: 登记部门, 类别, region (6), organisation (9), check."""
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(body, _USCC_WEIGHTS, strict=True))
    return body + USCC_ALPHABET[(31 - total % 31) % 31]


def organisation_check(body: str) -> str:
    """The ninth character of an organisation code (GB 11714) for its first eight."""
    values = (int(c) if c.isdigit() else ord(c) - 55 for c in body)
    rest = 11 - sum(v * w for v, w in zip(values, _ORG_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def identity_problem(number: str, *, today: date, sex: str | None = None) -> Text | None:
    """Why this is no identity number (GB 11643), or None.

    The first six digits need only name a province: many people here carry prefixes that were
    given before the county's code changed (domain.md §6.3).
    """
    number = number.strip().upper()
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return Text("An identity number has 17 digits and a digit or X at the end.")
    if number[:2] not in _PROVINCES:
        return Text("The first two digits name no province.")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return Text("Digits 7 to 14 are no date of birth.")
    if born > today:
        return Text("The date of birth lies in the future.")
    total = sum(int(d) * w for d, w in zip(number[:17], _IDENTITY_WEIGHTS, strict=True))
    if "10X98765432"[total % 11] != number[17]:
        return Text("The last character does not match the others; please check each one.")
    if sex in ("male", "female") and (int(number[16]) % 2 == 1) != (sex == "male"):
        return Text("The 17th digit says the other sex.")
    return None


def identity_with_check(body: str) -> str:
    """17 digits → a whole identity number."""
    total = sum(int(d) * w for d, w in zip(body, _IDENTITY_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


# Where codes come from: the system's randomness, unless sample data asks for the same codes again.
_source: list[Random] = [secrets.SystemRandom()]


def new_code(length: int = 10) -> str:
    """An unguessable public code; 10 characters are 50 bits."""
    return "".join(_source[-1].choice(CODE_ALPHABET) for _ in range(length))


def new_uid() -> str:
    """A UUID, such as a phone makes off the network for what it will send later."""
    return str(UUID(int=_source[-1].getrandbits(128), version=4))


def new_key() -> str:
    """A bearer key for a page that whoever holds the address may open: 160 bits."""
    return base64.urlsafe_b64encode(_source[-1].randbytes(20)).rstrip(b"=").decode()


@contextmanager
def codes_from(source: Random) -> Iterator[None]:
    """Inside, every code is guessable and the same for the same source: for samples only."""
    _source.append(source)
    try:
        yield
    finally:
        _source.pop()


def check_character(text: str) -> str:
    """One check character over a code's letters and digits; finds any single wrong character."""
    values = [CODE_ALPHABET.index(c) for c in text if c in CODE_ALPHABET]
    total = sum(v * (2 * i + 1) for i, v in enumerate(values, 1))
    return CODE_ALPHABET[total % 32]


def fold_code(typed: str) -> str:
    """What somebody typed, in our alphabet only: full-width, lower case, spaces and hyphens are
    forgiven; O is 0, I and L are 1, U is V."""
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_CONFUSED)
    return "".join(c for c in plain if c in CODE_ALPHABET)


def closing_character(body: str) -> str:
    """The character that closes a folded code: a sum over the field of 32 elements.

    It finds every single wrong character and every two that changed places, neighbours or not, in
    codes of up to 31 characters (`check_character` misses neighbours that differ by 16).
    """
    total = 0
    for character in body:
        total = _times_root(total ^ CODE_ALPHABET.index(character))
    return CODE_ALPHABET[total]


def _times_root(value: int) -> int:
    """x · value modulo x⁵ + x² + 1, whose root has the full order of 31."""
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value


def code_closes(folded: str) -> bool:
    """Whether the last character of a folded code belongs to the others."""
    return len(folded) > 1 and closing_character(folded[:-1]) == folded[-1]


def one_slip_away(folded: str) -> Iterator[str]:
    """Every code one wrong character or one swap of neighbours away from this one."""
    for place, typed in enumerate(folded):
        for meant in CODE_ALPHABET:
            if meant != typed:
                yield folded[:place] + meant + folded[place + 1 :]
    for place in range(len(folded) - 1):
        first, second = folded[place], folded[place + 1]
        if first != second:
            yield folded[:place] + second + first + folded[place + 2 :]


def mask_name(name: str) -> str:
    """张三丰 → 张*"""
    return name[:1] + "*" if name else ""


def mask_phone(phone: str) -> str:
    """13812345678 → 138****5678"""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "****"


def mask_identity(number: str) -> str:
    """500114190001010019 → 500114********0019"""
    return f"{number[:6]}********{number[-4:]}" if len(number) == 18 else "****"

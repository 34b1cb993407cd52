"""A product is found by every part of its name, its sound and its initials; nothing else is."""

from __future__ import annotations

from random import Random

import pytest
import sqlalchemy as sa

from catalog.products.models import Product
from catalog.products.queries import matching
from kernel.text import initials, syllables
from tests import makers

SEED = 20261123
LONGEST = 8
# Characters of produce and places, some of them read in several ways (长, 行, 重, 乐, 薄).
STOCK = "太空萝卜高山白菜魔芋粉丝安心红茶新榨油柏枝熏腊肉长寿面银行重庆乐薄荷水市大米"


@pytest.fixture
def goods(session):
    """Forty products with random names of two to nine characters."""
    chance = Random(SEED)
    of = makers.supplier(session)
    plain = makers.category(session, "货", "Goods", "goods")
    names = set()
    while len(names) < 40:
        names.add("".join(chance.choice(STOCK) for _ in range(chance.randint(2, 9))))
    said = {"summary_zh": "", "summary_en": "", "name_en": "Thing", "category_": plain}
    return [makers.product(session, of, name_zh=each, **said) for each in sorted(names)]


def found(session, text):
    return set(session.scalars(sa.select(Product.name_zh).where(matching(session, text))))


def pieces(name):
    return [
        (at, end)
        for at in range(len(name))
        for end in range(at + 1, min(at + LONGEST, len(name)) + 1)
    ]


def test_every_piece_of_a_name_finds_exactly_the_names_that_hold_it(session, goods):
    names = [each.name_zh for each in goods]
    chance = Random(SEED)
    asked = {name[at:end] for name in names for at, end in pieces(name)}
    absent = {
        "".join(chance.choice(STOCK) for _ in range(n)) for n in (1, 2, 3, 8) for _ in "abcde"
    }
    for text in chance.sample(sorted(asked), 120) + sorted(absent):
        assert found(session, text) == {name for name in names if text in name}, text


def test_the_sound_and_the_initials_of_every_piece_find_exactly_the_names_that_sound_so(
    session, goods
):
    names = [each.name_zh for each in goods]
    heard = {name: syllables(name) for name in names}
    sounds = {name: _sounds(name, heard[name]) for name in names}
    chance = Random(SEED)
    asked = set()
    for name in names:
        for at, end in pieces(name):
            asked.add("".join(heard[name][at:end]))
            asked.add("".join(each[0] for each in heard[name][at:end]))
    for text in chance.sample(sorted(asked), 160):
        expected = {name for name in names if any(sound.startswith(text) for sound in sounds[name])}
        assert found(session, text) == expected, text


def _sounds(name, heard):
    """Every way in which somebody may begin to type a part of this name in Latin letters: as the
    whole name reads it, or as the rest of the name alone is read."""
    forms = set()
    for at in range(len(name)):
        alone = syllables(name[at:])
        for spoken in (heard[at:], alone):
            forms |= {"".join(spoken), "".join(each[0] for each in spoken), spoken[0]}
        forms.add(initials(name[at:]))
    return forms | {"huo"}  # the category, 货, is searched as well

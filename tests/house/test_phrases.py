"""The search for sentences finds them wherever they are said."""

from __future__ import annotations

import pytest

from shop.phrases import phrases, sources


def test_sentences_are_found_where_they_are_said(app):
    found = {(each.context, each.words) for each in phrases()}

    assert (None, "There is already an account for %(email)s.") in found
    assert (None, "Forgotten your password?") in found
    assert ("Role", "Buyer") in found
    assert len(found) > 400


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_chinese_is_set_as_chinese(path):
    text = path.read_text(encoding="utf-8")

    assert "fuzzy" not in text
    assert "。." not in text

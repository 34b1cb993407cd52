"""Both languages are complete: whatever is said in English is said in Chinese, and only once."""

from __future__ import annotations

from shop import phrases


def test_every_sentence_has_its_chinese():
    missing = phrases.missing_translations()
    assert not missing, f"{len(missing)} have no Chinese:\n" + "\n".join(missing[:40])


def test_no_translation_is_broken_or_contradicts_another():
    broken = phrases.broken_translations()
    assert not broken, "\n".join(broken[:40])

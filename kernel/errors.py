"""Every way the house says no, and the sentences it says it with.

* Refusal          understood, but a rule of the house forbids it (409)
  - Invalid        the form was filled in wrongly; knows which field and why (422)
  - Missing        there is no such thing, or not for you (404)
  - Forbidden      you may not do this (403)

Anything else that is raised is a bug and becomes a 500.
"""

from __future__ import annotations

from collections.abc import Mapping


class Text:
    """A sentence for people: an English message id with its values, translated where it is shown.

    Values may be Text, Money, dates or numbers; the page formats them in the reader's language.
    """

    __slots__ = ("message", "values")

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values

    @classmethod
    def kept(cls, message: str, values: Mapping[str, object]) -> Text:
        """A sentence that was written down apart from its values; the words stand elsewhere."""
        return cls(message, **values)

    def __str__(self) -> str:
        return self.message % self.values if self.values else self.message

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class Named:
    """What has a name in both languages, as a value of a sentence: a product, a pack."""

    __slots__ = ("en", "zh")

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en or zh

    def __str__(self) -> str:
        return self.en


class Refusal(Exception):
    """A rule said no. `sentence` is written for the person who asked; `reasons` are all of them."""

    status = 409

    def __init__(self, sentence: str | Text, /, reasons: tuple[Text, ...] = (), **values: object):
        self.sentence = sentence if isinstance(sentence, Text) else Text(sentence, **values)
        self.reasons = reasons
        super().__init__(str(self.sentence))


class Invalid(Refusal):
    """What was entered cannot be used: field name → what to do about it."""

    status = 422

    def __init__(self, errors: Mapping[str, Text]) -> None:
        super().__init__(Text("Please correct the marked fields."), reasons=tuple(errors.values()))
        self.errors = dict(errors)


class Missing(Refusal):
    status = 404


class Forbidden(Refusal):
    status = 403

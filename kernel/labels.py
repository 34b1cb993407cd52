"""Enums that people read: every value has an English label that is translated like any sentence."""

from __future__ import annotations

import enum


class Labelled(enum.Enum):
    """Stored by value, shown by label. The class name is the translator's context."""

    @property
    def label(self) -> str:
        """English label and gettext message id: `awaiting_payment` → `Awaiting payment`."""
        return str(self.value).replace("_", " ").capitalize()

    @property
    def context(self) -> str:
        return type(self).__name__

"""What may be entered of a household, by whom, and what is never told in public. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import date

from kernel.actors import Role
from kernel.errors import Text

OF_AGE = 18
# So many looks in clear by one person on one day are told to the auditors (domain.md §5.5).
MANY_REVEALS = 10


class Part(enum.Enum):
    """What can be changed of a household, each by the roles that answer for it."""

    REGISTER = "register"
    FACTS = "facts"
    MEMBERS = "members"
    PLOTS = "plots"
    HELPER = "helper"
    STATUS = "status"
    CONSENTS = "consents"
    ACCOUNT = "account"


_CHANGES = {
    Part.REGISTER: (Role.OFFICIAL, Role.ACCOUNTANT, Role.MANAGER),
    Part.FACTS: (Role.OFFICIAL, Role.HELPER, Role.ACCOUNTANT, Role.MANAGER),
    Part.MEMBERS: (Role.OFFICIAL, Role.HELPER),
    Part.PLOTS: (Role.OFFICIAL, Role.HELPER, Role.ACCOUNTANT, Role.MANAGER),
    Part.HELPER: (Role.OFFICIAL,),
    Part.STATUS: (Role.OFFICIAL, Role.DISTRICT),
    Part.CONSENTS: (Role.OFFICIAL, Role.HELPER, Role.MANAGER),
    Part.ACCOUNT: (Role.OFFICIAL, Role.ACCOUNTANT, Role.MANAGER),
}


def changes(part: Part, role: Role | None) -> bool:
    """Whether this role may change that part of the households it reaches."""
    return role in _CHANGES[part]


def who_changes(part: Part) -> tuple[Role, ...]:
    return _CHANGES[part]


def under_age(identity: str | None, today: date) -> bool:
    """By the date of birth in the identity number; whoever has none is taken for a child, so that
    nothing of a child can slip out."""
    if not identity or not re.fullmatch(r"\d{17}[\dX]", identity):
        return True
    year, month, day = int(identity[6:10]), int(identity[10:12]), int(identity[12:14])
    return (today.year - year, today.month, today.day) < (OF_AGE, month, day)


_LONG_NUMBER = re.compile(r"(?:\d[ -]?){7,}")
# Words that say in what state a family is: never public, whoever wrote them (product.md).
_TELLING = (
    "贫困", "脱贫", "低保", "五保", "特困", "监测户", "监测对象", "边缘易致贫", "建档立卡", "返贫",
    "残疾", "患病", "重病",
)  # fmt: skip


def told_too_much(words: str, names: Iterable[str]) -> Text | None:
    """Why these words may not stand on a public page, or None (domain.md §5.5).

    `names` are those of everybody who lives there: an alias is no name, a story tells none.
    """
    if any(name and name in words for name in names):
        return Text("Somebody of the household is named in full; write an alias instead.")
    if _LONG_NUMBER.search(words):
        return Text("A phone, identity or account number is never public.")
    if found := next((each for each in _TELLING if each in words), None):
        return Text("“%(word)s” says who is poor or ill; that is never public.", word=found)
    return None


def identity_is_foreign(number: str, region_code: str) -> bool:
    """Worth a second look, never a reason to refuse: many here carry the prefix that their county
    had before its code changed (G23)."""
    return number[:6] != region_code[:6]


def needs_mandate(holder: str, names: Iterable[str]) -> bool:
    """Whoever is paid and does not belong to the household needs a written mandate (§4.5)."""
    return holder.strip() not in {name.strip() for name in names}

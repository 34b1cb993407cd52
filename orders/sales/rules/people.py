"""Whom a group purchase is for: rows that somebody typed → parcels, or what is wrong with each.

Pure. What was typed is kept as it is, so that a row is judged again on every view: a place may not
be served any more, a pack may have left the basket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kernel.errors import Text
from kernel.text import plain_number
from orders.sales.rules.addresses import Place, after_place, choose_place

MOST_PEOPLE = 200
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{9,11}|400\d{7}", re.ASCII)
_NOBODY = ("合计", "总计", "小计", "说明", "示例")

FindPlaces = Callable[[str], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Person:
    """One row as typed; `counts` is pack → what stands in its column. `row` is Excel's number."""

    row: int
    name: str
    phone: str
    address: str
    note: str = ""
    counts: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offered:
    """One pack of the basket: how many each gets unless their row says otherwise."""

    count: int
    most: int
    words: str


@dataclass(slots=True)
class Parcel:
    """One row, judged. Without problems it can be sent: `counts` is pack → how many, none left out
    that is wanted."""

    person: Person
    phone: str = ""
    address: str = ""
    region: str = ""
    counts: dict[int, int] = field(default_factory=dict)
    problems: list[Text] = field(default_factory=list)


def judge(
    people: Sequence[Person], packs: Mapping[int, Offered], find_places: FindPlaces
) -> list[Parcel]:
    """Every row with everything that is wrong with it; two rows for the same person are named."""
    seen: dict[tuple[str, str, str], int] = {}
    parcels = []
    for person in people:
        parcel = _judge(person, packs, find_places)
        key = (person.name, parcel.phone, re.sub(r"\s", "", person.address))
        if parcel.phone and key in seen:
            parcel.problems.append(
                Text("The same person at the same address as in row %(row)s.", row=seen[key])
            )
        seen.setdefault(key, person.row)
        parcels.append(parcel)
    return parcels


def _judge(person: Person, packs: Mapping[int, Offered], find_places: FindPlaces) -> Parcel:
    parcel = Parcel(person)
    if not person.name:
        parcel.problems.append(Text("The name is missing."))
    elif len(person.name) > 40:
        parcel.problems.append(Text("The name is longer than 40 characters."))
    _read_phone(parcel)
    _read_address(parcel, find_places)
    if len(person.note) > 100:
        parcel.problems.append(Text("The note is longer than 100 characters."))
    _read_counts(parcel, packs)
    return parcel


def _read_phone(parcel: Parcel) -> None:
    typed = plain_number(parcel.person.phone).removeprefix("+86").replace("-", "")
    typed = typed.strip("()")
    if _PHONE.fullmatch(typed):
        parcel.phone = typed
    elif not typed:
        parcel.problems.append(Text("The phone number is missing."))
    else:
        parcel.problems.append(
            Text("%(typed)s is no phone number; a mobile one has 11 digits.", typed=typed[:20])
        )


def _read_address(parcel: Parcel, find_places: FindPlaces) -> None:
    typed = parcel.person.address
    if not typed:
        parcel.problems.append(Text("The address is missing."))
        return
    place = choose_place(typed, find_places(typed))
    if place is None:
        parcel.problems.append(
            Text("Write province, city and district first, such as 重庆市渝北区.")
        )
        return
    rest = after_place(typed, place)
    if not rest:
        parcel.problems.append(Text("Street, house and door are missing."))
    elif len(rest) > 120:
        parcel.problems.append(Text("The address is longer than 120 characters."))
    parcel.region, parcel.address = place.code, f"{place.name} {rest}"


def _read_counts(parcel: Parcel, packs: Mapping[int, Offered]) -> None:
    for pack_id, offered in packs.items():
        typed = plain_number(parcel.person.counts.get(pack_id, ""))
        if not typed:
            count = offered.count
        elif re.fullmatch(r"\d{1,4}(\.0+)?", typed, re.ASCII):
            count = int(typed.partition(".")[0])
        else:
            count = -1
        if not 0 <= count <= offered.most:
            parcel.problems.append(
                Text(
                    "%(name)s: a whole number from 0 to %(most)s.",
                    name=offered.words,
                    most=offered.most,
                )
            )
        elif count:
            parcel.counts[pack_id] = count
    if not parcel.counts and not parcel.problems:
        parcel.problems.append(
            Text("Nothing is for this person; delete the row, or enter how many.")
        )


def people_of(rows: Sequence[Sequence[str]]) -> tuple[list[Person], Text | None]:
    """The rows below the headings, or why the sheet is of no use. A cell is text already.

    A column of packs carries its number in brackets, as the template writes it: `萝卜 10 kg [12]`.
    """
    columns: dict[str, int] = {}
    packs: dict[int, int] = {}
    first = -1
    for at, row in enumerate(rows[:20]):
        columns, packs = _columns(row)
        if {"name", "phone", "address"} <= columns.keys():
            first = at
            break
    if first < 0:
        return [], Text(
            "The headings are missing: 收货人, 手机号 and 收货地址. Please use the template."
        )
    people = []
    for number, row in enumerate(rows[first + 1 :], first + 2):
        cell = {key: row[at].strip() for key, at in columns.items()}
        counts = {pack_id: row[at].strip() for pack_id, at in packs.items() if row[at].strip()}
        texts = [*cell.values(), *counts.values()]
        if not any(texts) or next(text for text in texts if text).startswith(_NOBODY):
            continue
        people.append(
            Person(
                row=number,
                name=cell["name"],
                phone=cell["phone"],
                address=cell["address"],
                note=cell.get("note", ""),
                counts=counts,
            )
        )
    if not people:
        return [], Text("There is nothing below the headings.")
    if len(people) > MOST_PEOPLE:
        return [], Text(
            "At most %(most)s people in one order; this sheet has %(n)s. Please split it.",
            most=MOST_PEOPLE,
            n=len(people),
        )
    return people, None


_NAMES = {
    "name": ("收件人", "收货人", "姓名", "名字", "recipient", "name"),
    "phone": ("手机", "电话", "联系电话", "phone", "mobile"),
    "address": ("地址", "收货地址", "详细地址", "address"),
    "note": ("留言", "备注", "note"),
}


def _columns(row: Sequence[str]) -> tuple[dict[str, int], dict[int, int]]:
    """Which column is what; the first of several alike counts."""
    found: dict[str, int] = {}
    packs: dict[int, int] = {}
    for at, cell in enumerate(row):
        words = re.sub(r"\s", "", cell).lower()
        if match := re.search(r"\[(\d{1,12})\]", words, re.ASCII):
            packs.setdefault(int(match[1]), at)
            continue
        for key, names in _NAMES.items():
            if words.startswith(names) and key not in found:
                found[key] = at
                break
    return found, packs

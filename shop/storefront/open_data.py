"""The open data sets: what their columns mean, and their rows. Counts and amounts leave only as the
public pages show them (`queries.figures`), so a file says nothing that no page says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from catalog.lots.queries import shelf
from kernel.errors import Text
from kernel.speech import say_in
from orders.shares.queries import sharing_of
from shop.storefront import dividing, queries

LICENCE = "CC-BY-4.0"
LICENCE_ADDRESS = "https://creativecommons.org/licenses/by/4.0/"

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is a type of Table Schema: string, integer, number, year."""

    name: str
    kind: str
    says: Text


@dataclass(frozen=True, slots=True)
class DataSet:
    """One file. Its rows are counted when it is fetched: its vintage is that day."""

    name: str
    title: Text
    says: Text
    columns: tuple[Column, ...]
    rows: Callable[[Session, date], Iterator[Row]]


def _parts(session: Session, today: date) -> Iterator[Row]:
    for year in queries.years_of_money(session, today):
        for group in queries.year_of_money(session, year).groups:
            words = [say_in(group.name, lang) for lang in ("zh", "en")]
            yield year, group.key, *words, group.amount.yuan


def _villages(session: Session, today: date) -> Iterator[Row]:
    for year in queries.years_of_money(session, today):
        holder = ""
        for place in queries.incomes(session, year).villages:
            holder = place.code if place.amount is not None else holder
            amount = place.amount.yuan if place.amount is not None else ""
            yield year, place.code, place.name, place.shown, amount, holder


def _products(session: Session, today: date) -> Iterator[Row]:
    rows = shelf(session, today=today, limit=1_000)
    sharing = sharing_of(session, [row.product_id for row in rows], today)
    for row in sorted(rows, key=lambda each: each.slug):
        share = ""
        if known := sharing.get(row.product_id):
            groups = dividing.groups_of_price(
                known, row.grade, row.price, row.content, row.base_unit
            )
            share = dividing.households_get(groups).yuan if groups else ""
        yield (
            row.slug, row.name_zh, row.name_en, row.category_slug, row.pack_zh, row.content,
            row.base_unit.value, row.price.yuan, share, "|".join(row.villages),
        )  # fmt: skip


_YEAR = Column("year", "year", Text("calendar year of the settlement"))

DATA_SETS = (
    DataSet(
        "parts",
        Text("What buyers' money became"),
        Text("By year: what was accepted and settled, divided to the fen, refunds taken off."),
        (
            _YEAR,
            Column("part", "string", Text("where it went, as a fixed word")),
            Column("name_zh", "string", Text("the same in Chinese")),
            Column("name_en", "string", Text("the same in English")),
            Column("yuan", "number", Text("amount in yuan, exact to the fen")),
        ),
        _parts,
    ),
    DataSet(
        "villages",
        Text("What reached the households of each village"),
        Text("By year and village. Only what came through this shop, not anybody's whole income."),
        (
            _YEAR,
            Column("code", "string", Text("the village's code of twelve digits")),
            Column("village", "string", Text("its name")),
            Column("households", "string", Text("how many; <5 for one to four, 20+ for 20 to 24")),
            Column("yuan", "number", Text("amount; empty where fewer than five households")),
            Column("counted_with", "string", Text("code of the line that holds the amount")),
        ),
        _villages,
    ),
    DataSet(
        "products",
        Text("Prices, and what of them reaches households"),
        Text("The shelf of today: of each product the pack that costs least per kilogram."),
        (
            Column("slug", "string", Text("the product's address is /products/ and this")),
            Column("name_zh", "string", Text("name in Chinese")),
            Column("name_en", "string", Text("name in English")),
            Column("category", "string", Text("its category")),
            Column("pack", "string", Text("the pack")),
            Column("content", "integer", Text("what it holds, in base units")),
            Column("unit", "string", Text("the base unit: gram or piece")),
            Column("price_yuan", "number", Text("price of the pack")),
            Column("to_households_yuan", "number", Text("what of it reaches households")),
            Column("villages", "string", Text("villages of its goods, | between them")),
        ),
        _products,
    ),
)


def descriptor(public_url: str, today: date) -> dict[str, object]:
    """All data sets as a Data Package (Frictionless, version 1)."""
    return {
        "profile": "tabular-data-package",
        "name": "sutian",
        "title": "溯田 Sutian",
        "homepage": f"{public_url}/open/",
        "created": today.isoformat(),
        "licenses": [{"name": LICENCE, "path": LICENCE_ADDRESS}],
        "resources": [_resource(each, public_url) for each in DATA_SETS],
    }


def _resource(data: DataSet, public_url: str) -> dict[str, object]:
    return {
        "profile": "tabular-data-resource",
        "name": data.name,
        "title": say_in(data.title, "zh"),
        "description": say_in(data.says, "zh"),
        "path": f"{public_url}/open/{data.name}.csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [
                {"name": each.name, "type": each.kind, "description": say_in(each.says, "zh")}
                for each in data.columns
            ],
            "missingValues": [""],
        },
    }

"""Prices seen elsewhere: what the same goods cost at the market, in shops and next door (report 11
of domain.md §7). Rows are written once; another price of the same place and day is a correction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products import operations
from catalog.products.models import Product, ReferencePrice, ReferenceSource
from catalog.products.operations import Seen
from kernel.cells import Choice, Day, PerKilo, Words
from kernel.errors import Text
from kernel.text import tidy
from shop.excel.columns import ADDED, Column, Desk, Done, Kind, Row, Said
from shop.excel.kinds.looking_up import Products, of_desk

SOURCES: dict[str, ReferenceSource] = {
    "批发": ReferenceSource.WHOLESALE, "农贸市场": ReferenceSource.WHOLESALE,
    "市场": ReferenceSource.WHOLESALE, "超市": ReferenceSource.SUPERMARKET,
    "商场": ReferenceSource.SUPERMARKET, "周边": ReferenceSource.NEIGHBOURS,
    "周边商户": ReferenceSource.NEIGHBOURS, "本县": ReferenceSource.NEIGHBOURS,
}  # fmt: skip

COLUMNS = (
    Column(key="product", zh="产品编码", en="Product code", type=Words(60), required=True,
           example="R01", also=("产品", "品名", "品种", "产品名称", "product"),
           note=Text("The code of the product, or its name.")),
    Column(key="product_name", zh="产品名称（参考）", en="Product name (for reading)",
           type=Words(80), told_only=True),
    Column(key="source", zh="来源", en="Source", type=Choice(ReferenceSource, also=SOURCES),
           required=True, example="批发市场", also=("价格来源", "渠道", "采价渠道")),
    Column(key="place", zh="采价地点", en="Where", type=Words(60), required=True,
           example="示例农产品批发市场", also=("地点", "市场名称", "采价点", "place")),
    Column(key="price", zh="参考价", en="Reference price", type=PerKilo(), unit="元/公斤",
           required=True, example="4.60", also=("价格", "单价", "采集价", "price"),
           note=Text("Yuan per kilogram, or each for what is counted.")),
    Column(key="seen_on", zh="采价日期", en="Seen on", type=Day(), required=True,
           example="2026-11-20", also=("日期", "采集日期", "时间")),
)  # fmt: skip

Known = tuple[int, ReferenceSource, str, Any, date]


class _Handling:
    def __init__(self, session: Session, desk: Desk, now: datetime) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._products = Products(session, desk)
        self._held: set[Known] = {
            (each.product_id, each.source, each.place, each.unit_price, each.seen_on)
            for each in session.scalars(of_desk(desk, _REFERENCES))
        }

    def subjects(self, row: Row) -> list[Said]:
        """Two prices of one place and day are two rows: the later corrects the earlier."""
        return []

    def apply(self, row: Row) -> Done:
        product = self._products.of(row.values["product"])
        seen = Seen(
            product.id, row.values["source"], tidy(row.values["place"]), row.values["price"],
            row.values["seen_on"],
        )  # fmt: skip
        key: Known = (seen.product_id, seen.source, seen.place, seen.unit_price, seen.seen_on)
        if key in self._held:
            return Done.of(())
        operations.record_references(self._session, [seen], by=self._desk.by, now=self._now)
        self._held.add(key)
        return ADDED


_REFERENCES = sa.select(ReferencePrice).join(Product, Product.id == ReferencePrice.product_id)


class _References(Kind):
    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> _Handling:
        return _Handling(session, desk, now)

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        query = _REFERENCES.add_columns(Product.code, Product.name_zh).order_by(
            Product.position, Product.id, ReferencePrice.seen_on, ReferencePrice.id
        )
        for seen, code, name in session.execute(of_desk(desk, query)):
            yield {
                "product": code, "product_name": name, "source": seen.source,
                "place": seen.place, "price": seen.unit_price, "seen_on": seen.seen_on,
            }  # fmt: skip


REFERENCES = _References(
    key="references",
    title=Text("Prices seen elsewhere"),
    about=Text("What the same goods cost at markets, in shops and in the county, day by day."),
    columns=COLUMNS,
    labels=("product", "source", "place", "seen_on"),
)

"""Purchase prices: what households are paid per kilogram, from which day, by which resolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import WeighSlip
from catalog.lots.queries.stock import STANDS
from catalog.products import operations
from catalog.products.models import Grade, Product, PurchasePrice
from kernel.cells import Choice, Day, PerKilo, Words
from kernel.errors import Invalid, Text
from kernel.periods import business_day, day_start
from shop.excel.columns import ADDED, Column, Desk, Done, Kind, Row, Said, differences
from shop.excel.kinds.looking_up import Products

GRADES: dict[str, Grade] = {
    "一等": Grade.FIRST, "一级": Grade.FIRST, "1": Grade.FIRST, "1级": Grade.FIRST,
    "特级": Grade.FIRST, "二等": Grade.SECOND, "二级": Grade.SECOND, "2": Grade.SECOND,
    "2级": Grade.SECOND, "统货": Grade.MIXED, "混级": Grade.MIXED, "通货": Grade.MIXED,
}  # fmt: skip

COLUMNS = (
    Column(key="product", zh="产品编码", en="Product code", type=Words(60), required=True,
           example="R01", also=("产品", "品名", "品种", "品名编码", "产品名称", "product"),
           note=Text("The code of the product, or its name.")),
    Column(key="product_name", zh="产品名称（参考）", en="Product name (for reading)",
           type=Words(80), told_only=True),
    Column(key="grade", zh="等级", en="Grade", type=Choice(Grade, also=GRADES), required=True,
           example="一等", also=("级别", "等次")),
    Column(key="price", zh="收购价", en="Purchase price", type=PerKilo(), unit="元/公斤",
           required=True, example="3.20", also=("单价", "收购单价", "价格", "price")),
    Column(key="valid_from", zh="生效日期", en="In force from", type=Day(), required=True,
           example="2026-12-01", also=("执行日期", "起始日期", "开始日期", "日期")),
    Column(key="valid_to", zh="截止日期（参考）", en="In force until (for reading)", type=Day(),
           told_only=True),
    Column(key="resolution", zh="决议文号", en="Resolution", type=Words(60), required=True,
           example="示例2026-12号", also=("决议", "文号", "决议编号")),
)  # fmt: skip


class _Handling:
    def __init__(self, session: Session, desk: Desk, now: datetime) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._products = Products(session, desk)
        self._held = {
            (each.product_id, each.grade, each.valid_from): each
            for each in session.scalars(_of(desk, sa.select(PurchasePrice)))
        }

    def _key(self, row: Row) -> tuple[int, Grade, date]:
        product = self._products.of(row.values["product"])
        return product.id, row.values["grade"], row.values["valid_from"]

    def subjects(self, row: Row) -> list[Said]:
        try:
            return [(self._key(row), ("price", "resolution"))]
        except Invalid:
            return []  # apply says why

    def apply(self, row: Row) -> Done:
        key = self._key(row)
        known = self._held.get(key)
        if known is not None:
            held = {"price": known.price, "resolution": known.resolution}
            if not differences(held, row, ("price", "resolution")):
                return Done.of(())
        else:
            self._check_day(*key)
        made = operations.publish_purchase_price(
            self._session, key[0], grade=key[1], price=row.values["price"], valid_from=key[2],
            resolution=row.values["resolution"], by=self._desk.by, now=self._now,
        )  # fmt: skip
        self._held[key] = made
        return ADDED

    def _check_day(self, product_id: int, grade: Grade, since: date) -> None:
        """Not from a day that is gone, except where nothing was weighed since then: a cooperative
        that begins brings the prices of its past season, but no slip changes its price."""
        today = business_day(self._now)
        if since >= today:
            return
        weighed = sa.select(WeighSlip.id).where(
            WeighSlip.product_id == product_id, WeighSlip.grade == grade,
            WeighSlip.weighed_at >= day_start(since), STANDS,
        )  # fmt: skip
        if self._session.scalar(weighed.limit(1)) is not None:
            raise Invalid({"valid_from": Text("Choose %(day)s or later.", day=today)})


def _of(desk: Desk, query: Any) -> Any:
    if desk.supplier is None:
        return query
    own = sa.select(Product.id).where(Product.supplier_id == desk.supplier.id)
    return query.where(PurchasePrice.product_id.in_(own))


class _Prices(Kind):
    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> _Handling:
        return _Handling(session, desk, now)

    def order(self, row: Row) -> Any:
        """Old prices first: a price ends the day before the next one."""
        return row.get("valid_from") or date.max

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        query = sa.select(PurchasePrice, Product.code, Product.name_zh).join(
            Product, Product.id == PurchasePrice.product_id
        )
        for price, code, name in session.execute(
            _of(desk, query).order_by(
                Product.position, Product.id, PurchasePrice.grade, PurchasePrice.valid_from
            )
        ):
            yield {
                "product": code, "product_name": name, "grade": price.grade, "price": price.price,
                "valid_from": price.valid_from, "valid_to": price.valid_to,
                "resolution": price.resolution,
            }  # fmt: skip


PRICES = _Prices(
    key="prices",
    title=Text("Purchase prices"),
    about=Text("What a household is paid per kilogram, from which day, by which resolution."),
    columns=COLUMNS,
    labels=("product", "grade", "valid_from"),
)

"""收购台账: goods that lie in the store, slip by slip, with the households they came from.

Each row becomes a weigh slip and goes the way of every slip: written, confirmed by its household
(on paper), taken in by somebody else, owed to the household. The slips of one day, product and
grade make one lot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots import operations
from catalog.lots.models import Confirmation, Contribution, Lot, SlipState, WeighSlip
from catalog.lots.rules import net_weight
from catalog.products.models import Grade, Product
from catalog.products.queries import purchase_price_on
from catalog.suppliers.models import Supplier
from kernel.cells import Choice, Code, Day, Flag, Percent, PerKilo, Weight, Whole, Words, Yuan
from kernel.errors import Invalid, Text
from kernel.periods import business_day, day_start
from kernel.quantities import BaseUnit
from kernel.regions import Region
from orders.shares.operations import take_in_slips
from shop.excel.columns import ADDED, Column, Desk, Done, Kind, Row, Said
from shop.excel.kinds.looking_up import Households, Products
from shop.excel.kinds.prices import GRADES

COLUMNS = (
    Column(key="number", zh="收购单号", en="Slip number", type=Code(30), example="示例-0001",
           also=("单号", "票号", "收购单", "单据号", "slip"),
           note=Text("The number of the paper slip; it tells two equal slips apart.")),
    Column(key="day", zh="收购日期", en="Day", type=Day(), required=True, example="2026-11-23",
           also=("日期", "交售日期", "过磅日期", "收购时间", "时间", "date")),
    Column(key="code", zh="户编号", en="Household code", type=Code(12), also=("农户编号",)),
    Column(key="name", zh="农户", en="Household", type=Words(40), example="张三",
           also=("户主", "农户姓名", "姓名", "交售人", "交售农户", "户主姓名", "name")),
    Column(key="village", zh="村", en="Village", type=Words(60), example="大山村",
           also=("村名", "行政村", "所在村", "村组", "住址")),
    Column(key="group", zh="组", en="Group", type=Whole(1, 99, "组 社 村民小组"), example="3",
           also=("村民小组", "小组", "组别")),
    Column(key="product", zh="产品", en="Product", type=Words(60), required=True, example="R01",
           also=("产品编码", "品名", "品种", "产品名称", "product code"),
           note=Text("The code of the product, or its name.")),
    Column(key="grade", zh="等级", en="Grade", type=Choice(Grade, also=GRADES), example="一等",
           also=("级别", "等次"), note=Text("Left empty, it is mixed goods.")),
    Column(key="gross", zh="毛重", en="Gross", type=Weight(), unit="公斤", example="128.4"),
    Column(key="tare", zh="皮重", en="Tare", type=Weight(), unit="公斤", example="3.2",
           also=("皮", "去皮")),
    Column(key="deduction", zh="扣杂", en="Deduction", type=Percent(), unit="%", example="3%",
           also=("扣杂率", "扣水杂", "扣率", "扣杂%")),
    Column(key="net", zh="净重", en="Net", type=Weight(), unit="公斤", example="121.444",
           also=("重量", "数量", "交售重量", "净重量", "weight"),
           note=Text("Without gross and tare it is enough by itself.")),
    Column(key="price", zh="收购价", en="Price", type=PerKilo(), unit="元/公斤", example="3.20",
           also=("单价", "价格", "收购单价")),
    Column(key="amount", zh="金额", en="Amount", type=Yuan(), unit="元", example="388.62",
           also=("收购金额", "应付金额", "货款", "合计金额")),
    Column(key="paid", zh="已付款", en="Paid already", type=Flag(), example="否",
           also=("是否已付", "是否付款", "已付", "付款")),
    Column(key="until", zh="保质期至", en="Best before", type=Day(),
           also=("到期日", "保质期到", "最佳食用期")),
    Column(key="lot", zh="批次（参考）", en="Lot (for reading)", type=Words(40), told_only=True),
)  # fmt: skip

# As long as no number on paper is.
_DIGEST = 40
_COMPARED = ("day", "grade", "gross", "tare", "deduction", "net", "price", "amount")


class _Handling:
    def __init__(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._products = Products(session, desk)
        self._households = Households(session, desk, rows)
        self._suppliers = {each.id: each for each in session.scalars(sa.select(Supplier))}

    def subjects(self, row: Row) -> list[Said]:
        if "number" not in row.values:
            return []
        return [(("slip", row.values["number"]),
                 (*_COMPARED, "product", "code", "name", "village", "group"))]  # fmt: skip

    def apply(self, row: Row) -> Done:
        product = self._products.of(row.values["product"])
        if row.get("paid"):
            raise Invalid(
                {
                    "paid": Text(
                        "Goods that were paid for are not brought in here: "
                        "the household would be owed the same money again."
                    )
                }
            )
        day = row.values["day"]
        if day > business_day(self._now):
            raise Invalid({"day": Text("This day lies in the future.")})
        household = self._households.find(row)
        if household is None:
            raise Invalid({"name": Text("This household is not registered here yet.")})
        weights = _weights(row)
        grade = row.get("grade") or Grade.MIXED
        known = self._known(row, product, household.id, weights)
        if known is not None:
            return self._compare(row, known, product, household.id, grade, weights)
        self._check_money(row, product, grade, weights)
        supplier = self._suppliers[product.supplier_id]
        weighed_at = day_start(day) + timedelta(hours=12)
        slip = operations.record_slip(
            self._session, supplier_id=supplier.id, household_id=household.id,
            product_id=product.id, grade=grade, gross_g=weights[0], tare_g=weights[1],
            deduction_bp=weights[2], device=_device(supplier),
            device_seq=_sequence(row, product, household.id, grade, weights),
            weighed_at=weighed_at, by=self._desk.by, now=self._now,
        )  # fmt: skip
        operations.confirm_slip(
            self._session, slip.id, confirmation=Confirmation.SIGNATURE,
            confirmed_by=household.name, by=self._desk.by, now=self._now,
        )  # fmt: skip
        take_in_slips(
            self._session, [slip.id], supplier_id=supplier.id, best_before=row.get("until"),
            by=self._desk.taker or self._desk.by, now=self._now,
        )  # fmt: skip
        return ADDED

    def _known(
        self, row: Row, product: Product, household_id: int, weights: tuple[int, int, int]
    ) -> WeighSlip | None:
        """The slip that this row became before, or that the row was exported from."""
        supplier = self._suppliers[product.supplier_id]
        grade = row.get("grade") or Grade.MIXED
        same = sa.and_(
            WeighSlip.device == _device(supplier),
            WeighSlip.device_seq == _sequence(row, product, household_id, grade, weights),
        )
        if "number" in row.values:
            same = sa.or_(same, WeighSlip.number == row.values["number"])
        return self._session.scalar(
            sa.select(WeighSlip).where(same, WeighSlip.supplier_id == supplier.id).limit(1)
        )

    def _compare(
        self,
        row: Row,
        known: WeighSlip,
        product: Product,
        household_id: int,
        grade: Grade,
        weights: tuple[int, int, int],
    ) -> Done:
        if known.state is SlipState.VOID:
            raise Invalid({"number": Text("Slip %(number)s is void.", number=known.number)})
        if known.state is SlipState.REVERSED:
            raise Invalid(
                {"number": Text("Slip %(number)s was reversed already.", number=known.number)}
            )
        held = _told(known)
        wanted = {**row.values, "grade": grade}
        wanted |= dict(zip(("gross", "tare", "deduction"), weights, strict=True))
        errors = {
            key: Text(
                "The books say %(value)s; a slip that is taken in never changes.",
                value=LOTS.column(key).type.said(held[key], "zh"),
            )
            for key in _COMPARED
            if key in wanted and wanted[key] != held[key]
        }
        if known.household_id != household_id:
            errors["name"] = Text("This slip is in the books of another household.")
        if known.product_id != product.id:
            errors["product"] = Text("This slip is in the books for another product.")
        if errors:
            raise Invalid(errors)
        return Done.of(())

    def _check_money(
        self, row: Row, product: Product, grade: Grade, weights: tuple[int, int, int]
    ) -> None:
        """Price and amount of the file must be those of the published price (domain.md §4.5)."""
        published = purchase_price_on(self._session, product.id, grade, row.values["day"])
        if published is None:
            return  # the operation says so
        if row.get("price") not in (None, published.price):
            raise Invalid(
                {
                    "price": Text(
                        "The published price of that day is %(price)s.", price=published.price
                    )
                }
            )
        amount = published.price.of(net_weight(*weights), BaseUnit.GRAM)
        if row.get("amount") not in (None, amount):
            raise Invalid(
                {"amount": Text("Net weight times price makes %(amount)s.", amount=amount)}
            )


def _weights(row: Row) -> tuple[int, int, int]:
    """(gross, tare, deduction): gross by itself, or net by itself, or all of them agreeing."""
    gross, net = row.get("gross"), row.get("net")
    tare, deduction = row.get("tare") or 0, row.get("deduction") or 0
    if gross is None:
        if net is None:
            raise Invalid({"net": Text("Enter the net weight, or gross and tare.")})
        if tare or deduction:
            raise Invalid({"gross": Text("Enter the gross weight too, or leave out the tare.")})
        return net, 0, 0
    if net is not None and gross > tare and net_weight(gross, tare, deduction) != net:
        raise Invalid(
            {
                "net": Text(
                    "Gross, tare and deduction make %(net)s.",
                    net=Weight().said(net_weight(gross, tare, deduction), "zh"),
                )
            }
        )
    return gross, tare, deduction


def _device(supplier: Supplier) -> str:
    """Where these slips were written: in the paper ledger of this supplier."""
    return f"ledger:{supplier.code}"


def _sequence(
    row: Row, product: Product, household_id: int, grade: Grade, weights: tuple[int, int, int]
) -> str:
    """The paper's number; without one, what the row says: the same row is the same slip."""
    if "number" in row.values:
        return str(row.values["number"])
    said = (row.values["day"].isoformat(), household_id, product.code, grade.value, *weights)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:_DIGEST]


def _told(slip: WeighSlip) -> dict[str, Any]:
    return {
        "day": business_day(slip.weighed_at), "grade": slip.grade, "gross": slip.gross_g,
        "tare": slip.tare_g, "deduction": slip.deduction_bp, "net": slip.net_g,
        "price": slip.price, "amount": slip.amount,
    }  # fmt: skip


class _Lots(Kind):
    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> _Handling:
        return _Handling(session, desk, rows, now)

    def order(self, row: Row) -> Any:
        """Day by day, so that lots get their numbers in the order in which they came in."""
        return row.get("day") or date.max

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        """Every slip that was taken in, the oldest first."""
        query = (
            sa.select(WeighSlip, Household, Product.code, Lot, Region.name)
            .join(Household, Household.id == WeighSlip.household_id)
            .join(Region, Region.code == Household.region_code)
            .join(Product, Product.id == WeighSlip.product_id)
            .join(Contribution, Contribution.id == WeighSlip.contribution_id)
            .join(Lot, Lot.id == Contribution.lot_id)
            .where(WeighSlip.state == SlipState.TAKEN_IN)
            .order_by(WeighSlip.weighed_at, WeighSlip.id)
            .execution_options(yield_per=500)
        )
        if desk.supplier is not None:
            query = query.where(WeighSlip.supplier_id == desk.supplier.id)
        for slip, household, code, lot, village in session.execute(query):
            ours = slip.device.startswith("ledger:") and len(slip.device_seq) < _DIGEST
            yield _told(slip) | {
                "number": slip.device_seq if ours else slip.number, "code": household.code,
                "name": household.name, "village": short_name(village),
                "group": household.group_no, "product": code, "lot": lot.code,
                "until": lot.best_before,
            }  # fmt: skip


LOTS = _Lots(
    key="lots",
    title=Text("Goods in store"),
    about=Text(
        "The ledger of what was bought and lies in the store, slip by slip: it becomes lots, "
        "and the households are owed for it."
    ),
    columns=COLUMNS,
    labels=("number", "day", "name", "product"),
    fields={"gross": "gross", "household": "name"},
    events=True,
)

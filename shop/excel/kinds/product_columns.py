"""The columns of a table of products."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from catalog.products.models import Grade, Shelf
from kernel.cells import (
    CellType,
    Choice,
    Code,
    Flag,
    PerKilo,
    Raw,
    Unreadable,
    Whole,
    Words,
    Yuan,
    as_text,
)
from kernel.errors import Invalid, Text
from kernel.quantities import BaseUnit
from kernel.text import plain_number
from shop.excel.columns import Column
from shop.excel.kinds.prices import GRADES

_SPAN = re.compile(r"(\d{1,2})[-./月](\d{1,2})日?[~～至到](\d{1,2})[-./月](\d{1,2})日?")


@dataclass(frozen=True)
class Seasons(CellType):
    """Spans of the year: `10-10~12-20`, several with a semicolon; over New Year is fine."""

    width: int = 22

    def read(self, raw: Raw, unit: str = "") -> list[list[str]]:
        spans = []
        for part in re.split(r"[;；、,，]", as_text(raw)):
            found = _SPAN.fullmatch(plain_number(part).replace("—", "~"))
            days = [_month_day(found[1], found[2]), _month_day(found[3], found[4])] if found else []
            if not days or None in days:
                raise Unreadable(Text("Write the season as days of the year, such as 10-10~12-20."))
            spans.append([str(each) for each in days])
        return spans

    def write(self, value: list[list[str]], lang: str) -> str:
        return ";".join(f"{begin}~{end}" for begin, end in value)


def _month_day(month: str, day: str) -> str | None:
    try:
        return date(2024, int(month), int(day)).strftime("%m-%d")
    except ValueError:
        return None


COLUMNS = (
    Column(key="code", zh="产品编码", en="Product code", type=Code(8), required=True, example="R01",
           also=("编码", "品号", "code"), note=Text("At most eight letters and digits; it stays.")),
    Column(key="name_zh", zh="产品名称", en="Chinese name", type=Words(60), required=True,
           example="示例萝卜", also=("品名", "名称", "中文名")),
    Column(key="name_en", zh="英文名称", en="English name", type=Words(80), example="Space radish",
           also=("英文名",)),
    Column(key="supplier", zh="供应商", en="Supplier", type=Code(8), also=("供应商编码",),
           note=Text("Only where a table is for several suppliers.")),
    Column(key="category", zh="类别", en="Category", type=Words(60), example="蔬菜",
           also=("分类", "品类", "产品类别")),
    Column(key="base_unit", zh="计量方式", en="Measured by", type=Choice(
        BaseUnit, also={"称重": BaseUnit.GRAM, "公斤": BaseUnit.GRAM, "kg": BaseUnit.GRAM,
                        "计件": BaseUnit.PIECE, "件": BaseUnit.PIECE, "个": BaseUnit.PIECE}),
        example="称重", also=("计量单位", "计量")),
    Column(key="shelf_life", zh="保质期", en="Shelf life", type=Whole(1, 3650, "天 日 days"),
           unit="天", example="20", also=("保质期天数", "保鲜期")),
    Column(key="fresh", zh="鲜活", en="Fresh", type=Flag(), example="是",
           also=("是否鲜活", "生鲜")),
    Column(key="needs_certificate", zh="需合格证", en="Needs certificate", type=Flag(),
           example="是", also=("需要合格证", "承诺达标合格证")),
    Column(key="summary_zh", zh="简介", en="Chinese summary", type=Words(200),
           example="清早拔的萝卜", also=("产品简介", "一句话介绍")),
    Column(key="summary_en", zh="英文简介", en="English summary", type=Words(300)),
    Column(key="storage_zh", zh="储存方式", en="Storage (Chinese)", type=Words(200),
           also=("贮存", "储存条件", "贮藏方式")),
    Column(key="storage_en", zh="英文储存方式", en="Storage (English)", type=Words(300)),
    Column(key="harvest", zh="采收季", en="Harvest", type=Seasons(), example="10-10~12-20",
           also=("采收期", "上市期", "产季")),
    Column(key="most_yield", zh="亩产上限", en="Most yield per mu", unit="公斤", example="2500",
           type=Whole(1, 100_000), also=("最高亩产", "亩产")),
    Column(key="shelf", zh="面向", en="For whom", type=Choice(
        Shelf, also={"市民": Shelf.CITIZENS, "零售": Shelf.CITIZENS, "食堂": Shelf.CANTEENS,
                     "预算单位": Shelf.CANTEENS, "单位": Shelf.CANTEENS}),
        example="市民", also=("销售对象", "渠道"),
        note=Text("From here on a row describes one pack; one row for each.")),
    Column(key="grade", zh="等级", en="Grade", type=Choice(Grade, also=GRADES), example="一等",
           also=("级别",)),
    Column(key="pack_zh", zh="规格", en="Pack (Chinese)", type=Words(40), example="5 kg 一箱",
           also=("规格名称", "包装规格")),
    Column(key="pack_en", zh="英文规格", en="Pack (English)", type=Words(60),
           example="Box of 5 kg"),
    Column(key="content", zh="每份含量", en="Content", type=Words(20), example="5公斤",
           also=("含量", "净含量"), note=Text("A weight such as 5公斤, or a number of pieces.")),
    Column(key="price", zh="每份售价", en="Price per pack", type=Yuan(), unit="元", example="29.00",
           also=("售价", "零售价"), note=Text("For citizens.")),
    Column(key="unit_price", zh="食堂单价", en="Canteen price", type=PerKilo(), unit="元/公斤",
           also=("供应单价", "单价"), note=Text("For canteens, per kilogram or piece.")),
)  # fmt: skip


def missing(*keys: str) -> Invalid:
    """These cells of the row must be filled in."""
    return Invalid(
        {
            each.key: Text("%(name)s is missing.", name=each.name)
            for each in COLUMNS
            if each.key in keys
        }
    )

"""What people write into cells is understood, or refused with one sentence."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cells import (
    Area,
    Broken,
    Choice,
    Code,
    Day,
    Flag,
    Percent,
    PerKilo,
    Phone,
    Unreadable,
    Weight,
    Whole,
    Words,
    Yuan,
    is_empty,
)
from kernel.errors import Invalid
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.sheets import address, read_grid
from tests.shop.excel.books import book

NOVEMBER = date(2026, 11, 23)


@pytest.mark.parametrize(
    "written",
    ["2026-11-23", "2026/11/23", "2026.11.23", "2026年11月23日", "２０２６年１１月２３号",
     "20261123", 20261123, 46349, 46349.0, 46349.354, "46349",
     NOVEMBER, datetime(2026, 11, 23, 8, 30),
     " 2026-11-23 ", "2026-11-23 08:30", "2026年 11月 23日", "\ufeff2026-11-23",
     "2026-11-23T08:30:00"],
)  # fmt: skip
def test_a_day_is_understood_however_it_is_written(written):
    assert Day().read(written) == NOVEMBER


@pytest.mark.parametrize(
    ("written", "said"),
    [("11月23日", "year is missing"), ("11-23", "year is missing"), ("23/11/2026", "year first"),
     ("26-11-23", "year first"), ("2026-02-30", "no such day"), ("明天", "Enter a date"),
     ("2026-13-01", "no such day"), ("", "Enter a date"), (True, "Enter a date"),
     (Broken("#REF!"), "#REF!")],
)  # fmt: skip
def test_a_day_that_is_none_says_why(written, said):
    with pytest.raises(Unreadable, match=said):
        Day().read(written)


@pytest.mark.parametrize(
    ("written", "unit", "grams"),
    [("12.5", "", 12_500), (12.5, "", 12_500), (25, "斤", 12_500), ("25斤", "公斤", 12_500),
     ("１２．５ 公斤", "斤", 12_500), ("0.0125吨", "", 12_500), ("1,234.5", "", 1_234_500),
     (63.300000000000004, "", 63_300), ("12.5KG", "", 12_500), (3, "t", 3_000_000)],
)  # fmt: skip
def test_a_weight_knows_its_unit_from_the_cell_or_the_heading(written, unit, grams):
    assert Weight().read(written, unit) == grams


@pytest.mark.parametrize(
    "written", ["-5", "十斤", "12.5亩", "1/3", 0.33333333333, "5.0001", "1e3", True]
)
def test_no_weight_is_guessed(written):
    with pytest.raises(Unreadable, match="to the gram"):
        Weight().read(written)


@pytest.mark.parametrize(
    ("type_", "written", "unit", "value"),
    [(Area(), "1.25", "", 125), (Area(), "1.25亩", "", 125), (Area(), 2, "公顷", 3000),
     (Area(), "666.67", "平方米", 100), (PerKilo(), "¥3.20", "", Price(32_000)),
     (PerKilo(), 1.6, "斤", Price(32_000)), (PerKilo(), "1.6元/斤", "kg", Price(32_000)),
     (PerKilo(), "3200", "吨", Price(32_000)), (Yuan(), "￥1,176.00", "", Money(117_600)),
     (Yuan(), "1176元", "", Money(117_600)), (Yuan(), 388.62, "", Money(38_862)),
     (Percent(), "3%", "", 300), (Percent(), 2.5, "", 250), (Percent(), "0.5%", "", 50),
     (Percent(), 0, "", 0), (Whole(1, 99, "组 社"), "第３组", "", 3), (Whole(1, 99), 4.0, "", 4),
     (Code(18), "５００１１４ 19000101 001x", "", "50011419000101001X"),
     (Phone(), "+86 138-1234-5678", "", "13812345678"), (Flag(), "√", "", True),
     (Flag(), False, "", False), (Choice(BaseUnit), "Gram", "", BaseUnit.GRAM),
     (Words(10), "　张 三 ", "", "张 三"), (Words(10), "'=1", "", "=1")],
)  # fmt: skip
def test_other_cells_are_as_forgiving(type_, written, unit, value):
    assert type_.read(written, unit) == value


@pytest.mark.parametrize(
    ("type_", "written", "said"),
    [(Code(), 500114190001010019, "15 digits"), (Code(), 5.00114e17, "15 digits"),
     (Code(), "5.00114E+17", "15 digits"), (Code(), "138****5678", "hidden"),
     (Percent(), 0.03, "with its sign"), (Percent(), "100", "percentage"),
     (Whole(1, 9), "1.5", "whole number"), (Whole(1, 9), "10", "whole number"),
     (Yuan(), "12.345", "amount in yuan"), (PerKilo(), "-3", "price in yuan"),
     (PerKilo(), "0", "price in yuan"), (Phone(), "12345", "11 digits"),
     (Area(), "1.255", "two decimals"),
     (Area(), "一亩", "area in mu"), (Flag(), "也许", "是 or 否"),
     (Words(3), "四个汉字", "At most 3"),
     (Words(), Broken("#N/A"), "#N/A"), (Choice(BaseUnit), "mile", "Write one of")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_reason(type_, written, said):
    with pytest.raises(Unreadable, match=said):
        type_.read(written)


@given(
    grams=st.integers(1, 10**9),
    bp=st.integers(0, 9_999),
    fen=st.integers(0, 10**12),
    price=st.integers(1, 10**9),
    area=st.integers(0, 10**8),
    lang=st.sampled_from(["zh", "en"]),
)
@settings(max_examples=150)
def test_what_is_written_out_is_read_back_exactly(grams, bp, fen, price, area, lang):
    for type_, value in ((Weight(), grams), (Percent(), bp), (Yuan(), Money(fen)),
                         (PerKilo(), Price(price)), (Area(), area)):  # fmt: skip
        out = type_.write(value, lang)
        assert type_.read(out if isinstance(out, str) else float(out)) == value
        assert type_.read(str(out)) == value


def test_nothing_and_a_dash_are_empty_and_an_error_is_not():
    assert all(is_empty(each) for each in (None, "", "  ", "　", "-", "—", "/", "无", "\u200b"))
    assert not any(is_empty(each) for each in (0, "0", False, Broken("#N/A")))


def said_of(content):
    with pytest.raises(Invalid) as refused:
        read_grid(content)
    return str(refused.value.errors["file"])


def zipped(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def with_sheet(xml):
    """A real workbook whose only sheet is replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book([["a"]]))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for each in source.infolist():
            whole = xml if each.filename == "xl/worksheets/sheet1.xml" else source.read(each)
            target.writestr(each.filename, whole)
    return out.getvalue()


_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty"),
        (book([]), "This file is empty"),
        (b" \r\n,,\r\n", "This file is empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 900, "old Excel"),
        (b"\xef\xbb\xbf<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (lambda: b"x" * (60 * 1024 * 1024), "at most 12 MB"),
        (b"PK\x03\x04 but no archive", "cannot be read"),
        (zipped(hello="world"), "cannot be read"),
        (book([["a"] * 1000]), "1000 columns"),
        (with_sheet(_SHEET.format('<row r="1"><c r="XFD1"><v>1</v></c></row>')), "16384 columns"),
        (with_sheet(_SHEET.format('<row r="1"><c r="A1048576"><v>1</v></c></row>')), "20000 rows"),
        (lambda: zipped(xl__worksheets__sheet1=b"0" * (130 * 1024 * 1024)), "unpacks to far more"),
        (b"\x80\xff\xff\xff", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cannot be read"),
    ],
    ids=["nothing", "empty xlsx", "empty csv", "password", "old excel", "html", "60 MB", "torn",
         "no workbook", "1000 columns", "far column", "far row", "bomb", "bytes", "picture"],
)  # fmt: skip
def test_a_bad_file_gets_one_sentence(content, said):
    assert said in said_of(content() if callable(content) else content)


def test_a_lying_archive_is_not_unpacked():
    """Its directory says ten bytes, its stream would give a hundred megabytes."""
    honest = bytearray(zipped(xl__worksheets__sheet1=b"0" * (100 * 1024 * 1024)))
    size = (100 * 1024 * 1024).to_bytes(4, "little")
    lying = bytes(honest).replace(size, (10).to_bytes(4, "little"))
    assert lying != bytes(honest)
    assert "cannot be read" in said_of(lying)


def test_a_table_is_read_with_its_merged_cells_and_failed_formulas():
    grid = read_grid(
        book([["台账"], ["日期", "净重"], [NOVEMBER, "=1/0"], ["", 5]], merges=[("A6:A7", "甲")])
    )
    assert grid.rows[2] == [NOVEMBER, Broken("#DIV/0!")]
    assert grid.rows[5][0] == "甲"
    assert address(2, 1) == "B3"
    assert address(0, 27) == "AB1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_csv_is_read_in_every_usual_encoding(encoding, mark):
    text = f"户主{mark}村\r\n张三{mark}大山村\r\n"
    assert read_grid(text.encode(encoding)).rows == [["户主", "村"], ["张三", "大山村"]]

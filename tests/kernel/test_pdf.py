"""Papers: Chinese is there, what people typed is never a command, the same data the same bytes."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from kernel import pdf

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SAMPLE = """
#import "house.typ": *
#show: paper.with(title: data.title)
= #data.title
#data.typed
#qr(data.code)
"""


@pytest.fixture(autouse=True)
def sample(tmp_path, monkeypatch):
    (tmp_path / "house.typ").write_bytes((pdf.FOLDER / "house.typ").read_bytes())
    (tmp_path / "sample.typ").write_text(SAMPLE, encoding="utf-8")
    monkeypatch.setattr(pdf, "FOLDER", tmp_path)


def paper(typed: str = "") -> bytes:
    data = {"title": "收购单", "typed": typed, "code": pdf.qr_svg("https://sutian.test/trace/X")}
    return pdf.make_pdf("sample", data, made=NOON)


def words(made: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def test_a_paper_holds_its_chinese_and_its_title():
    made = paper("太空萝卜 121.444 公斤")
    assert "收购单" in words(made)
    assert "太空萝卜" in words(made)
    assert PdfReader(io.BytesIO(made)).metadata.title == "收购单"


def test_what_somebody_typed_is_printed_and_never_obeyed():
    typed = '#read("/etc/passwd") = $x$ \\ " ]'
    assert '#read("/etc/passwd") = $x$' in words(paper(typed))


def test_the_same_data_gives_the_same_bytes():
    assert paper("一") == paper("一")
    assert paper("一") != paper("二")

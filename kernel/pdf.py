"""Papers as PDF: a template of ours under `templates/pdf`, filled with data by typst.

What people typed goes in as data, never as markup, so nothing in it can be a command. The fonts
come from a package; fonts of the machine are not looked at, so a paper is the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn as fonts
import segno
import typst

FOLDER = Path(__file__).parent.parent / "templates" / "pdf"


def make_pdf(template: str, data: Mapping[str, Any], *, made: datetime) -> bytes:
    """The PDF of `templates/pdf/<template>.typ`, tagged for screen readers.

    `data` is anything JSON can hold; the template reads it as `data` from `house.typ`. The same
    data and the same `made` give the same bytes.
    """
    made_pdf: bytes = typst.compile(
        str(FOLDER / f"{template}.typ"),
        root=str(FOLDER),
        font_paths=[str(fonts.sans_path().parent)],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=int(made.timestamp()),
    )
    return made_pdf


def make_png(template: str, data: Mapping[str, Any]) -> bytes:
    """The first page of `templates/pdf/<template>.typ` as a picture, one pixel for each point."""
    made_png: bytes = typst.compile(
        str(FOLDER / f"{template}.typ"),
        root=str(FOLDER),
        font_paths=[str(fonts.sans_path().parent)],
        ignore_system_fonts=True,
        format="png",
        ppi=72,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    return made_png


def qr_svg(content: str) -> str:
    """A QR code as an SVG drawing, for `qr()` of `house.typ`: error correction M, no border."""
    drawing: str = segno.make(content, error="m", micro=False).svg_inline(border=0)
    return drawing

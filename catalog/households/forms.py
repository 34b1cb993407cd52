"""The forms of the register → plain values."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError
from werkzeug.datastructures import FileStorage

from catalog.households.models import ConsentPurpose, ConsentScope, MonitorType, RiskStatus, Sex
from kernel.errors import Invalid, Text
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields

MOST_BYTES = 10 * 1024 * 1024
PICTURE_SIDE = 1600
FIRST_YEAR = 2000

Read = tuple[bytes, str, str]


def read_facts(form: Mapping[str, str], villages: Mapping[str, str]) -> dict[str, Any]:
    """Name, village, group and people; `villages` are those that may be chosen, by code.

    The phone is only there if one was typed: an empty field leaves it as it is.
    """
    fields = Fields(form)
    village = form.get("region_code", "").strip()
    if village not in villages:
        fields.refuse("region_code", Text("Please choose one."))
    values: dict[str, Any] = {
        "name": fields.text("name", most=40),
        "region_code": village,
        "group_no": fields.whole("group_no", least=0, most=99),
        "people": fields.whole("people", least=1, most=30),
    }
    if fields.has("phone"):
        values["phone"] = fields.phone("phone")
    elif fields.flag("no_phone"):
        values["phone"] = ""
    fields.done()
    return values


def read_head(form: Mapping[str, str]) -> dict[str, Any]:
    """Of the head of a new household: sex, identity number, and whether a namesake is known."""
    fields = Fields(form)
    values = {
        "sex": fields.choice("sex", Sex),
        "identity": _identity(fields, form),
        "namesake_known": fields.flag("namesake"),
    }
    fields.done()
    return values


def read_member(form: Mapping[str, str]) -> dict[str, Any]:
    """A member; the identity number None where nothing was typed."""
    fields = Fields(form)
    values = {
        "name": fields.text("name", most=40),
        "relation": fields.text("relation", most=20),
        "sex": fields.choice("sex", Sex),
        "identity": _identity(fields, form),
        "is_head": fields.flag("is_head"),
        "can_work": fields.flag("can_work"),
    }
    fields.done()
    return values


def _identity(fields: Fields, form: Mapping[str, str]) -> str | None:
    """Full-width digits, spaces, hyphens and a small x are forgiven; the check is the rule's."""
    if not fields.has("identity"):
        return None
    number = plain_number(form.get("identity", "")).replace("-", "").upper()
    if len(number) > 30:
        fields.refuse(
            "identity", Text("An identity number has 17 digits and a digit or X at the end.")
        )
    return number


def read_leaving(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    fields = Fields(form)
    values = {
        "left_on": fields.date("left_on", most=today),
        "why": fields.text("why", most=120),
    }
    fields.done()
    return values


def read_plot(
    form: Mapping[str, str], crops: Mapping[str, object], *, today: date
) -> dict[str, Any]:
    """Place, area in hundredths of a mu (`1.25` or `1.25亩`), crop and year."""
    fields = Fields(form)
    crop = form.get("crop", "").strip()
    if crop not in crops:
        fields.refuse("crop", Text("Please choose one."))
    values = {
        "place": fields.text("place", most=60),
        "area_mu_100": _mu_100(fields, form.get("area", "")),
        "crop": crop,
        "year": fields.whole("year", least=FIRST_YEAR, most=today.year + 1),
    }
    fields.done()
    return values


def _mu_100(fields: Fields, typed: str) -> int:
    match = re.fullmatch(
        r"(\d{1,4})(?:\.(\d{1,2}))?(?:亩|mu)?", plain_number(typed).lower(), re.ASCII
    )
    area = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    if area <= 0:
        fields.refuse("area", Text("Enter an area in mu with at most two decimals, such as 1.25."))
    return area


def read_why(form: Mapping[str, str]) -> str:
    fields = Fields(form)
    why = fields.text("why", most=120)
    fields.done()
    return why


def read_helper(
    form: Mapping[str, str], helpers: Mapping[int, str], *, today: date
) -> dict[str, Any]:
    """Whom, from which day on; `helpers` are those who may be chosen."""
    fields = Fields(form)
    user_id = fields.key("helper")
    if user_id and user_id not in helpers:
        fields.refuse("helper", Text("Please choose one."))
    values = {
        "user_id": user_id,
        "valid_from": fields.date("valid_from", most=date(today.year + 1, 12, 31)),
    }
    fields.done()
    return values


def read_status(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    """The official status with its source and day."""
    fields = Fields(form)
    lifted = form.get("lifted", "")
    if lifted not in ("yes", "no"):
        fields.refuse("lifted", Text("Please choose one."))
    values = {
        "lifted": lifted == "yes",
        "monitor_type": fields.choice("monitor_type", MonitorType),
        "risk_status": fields.choice("risk_status", RiskStatus),
        "as_of": fields.date("as_of", most=today),
        "source": fields.text("source", most=120),
    }
    fields.done()
    return values


def read_account(form: Mapping[str, str]) -> dict[str, Any]:
    fields = Fields(form)
    values = {
        "holder": fields.text("holder", most=40),
        "bank": fields.text("bank", most=60),
        "number": fields.text("number", most=40),
        "proof": fields.text("proof", most=120, required=False),
    }
    fields.done()
    return values


def read_consent(
    form: Mapping[str, str], files: Mapping[str, FileStorage], *, today: date
) -> tuple[dict[str, Any], dict[str, Read]]:
    """The consent, and the files that belong to it: the signed paper, perhaps a picture."""
    fields = Fields(form)
    purpose = fields.choice("purpose", ConsentPurpose)
    values = {
        "purpose": purpose,
        "content": fields.text("content", most=600, required=purpose is not ConsentPurpose.PHOTO),
        "scope": fields.choice("scope", ConsentScope),
        "given_on": fields.date("given_on", most=today),
        "children_absent": fields.flag("children_absent"),
    }
    kept: dict[str, Read] = {}
    if paper := _paper(fields, files.get("evidence")):
        kept["evidence"] = paper
    if purpose is ConsentPurpose.PHOTO and (picture := _picture(fields, files.get("picture"))):
        kept["picture"] = picture
    fields.done()
    return values, kept


_PAPERS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png"}


def _paper(fields: Fields, file: FileStorage | None) -> Read | None:
    """A PDF or a photograph of the signed paper, known by its first bytes."""
    if file is None or not file.filename:
        fields.refuse("evidence", Text("Add the signed paper as a PDF or a photograph."))
        return None
    content = file.read(MOST_BYTES + 1)
    kind = next((kind for head, kind in _PAPERS.items() if content.startswith(head)), None)
    if kind is None:
        fields.refuse("evidence", Text("The signed paper is a PDF, JPEG or PNG file."))
    elif len(content) > MOST_BYTES:
        fields.refuse("evidence", Text("A file has at most 10 MB."))
    else:
        return content, kind, tidy(file.filename)[:200]
    return None


def _picture(fields: Fields, file: FileStorage | None) -> Read | None:
    """Drawn anew and no larger than a page needs: where and when it was taken is not kept."""
    if file is None or not file.filename:
        return None
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        fields.refuse("picture", Text("A file has at most 10 MB."))
        return None
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as opened:
            drawn = ImageOps.exif_transpose(opened).convert("RGB")
            drawn.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
            clean = Image.new("RGB", drawn.size)
            clean.paste(drawn)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        fields.refuse("picture", Text("A photo is a JPEG, PNG or WebP picture."))
        return None
    written = io.BytesIO()
    clean.save(written, "WEBP", quality=82)
    return written.getvalue(), "image/webp", "photo.webp"


def read_reason(form: Mapping[str, str]) -> str:
    """Why somebody needs to read a detail in clear."""
    reason = tidy(form.get("reason", ""))
    if not reason:
        raise Invalid({"reason": Text("Say why you need to see it; the reason is kept.")})
    if len(reason) > 200:
        raise Invalid(
            {
                "reason": Text(
                    "At most %(most)s characters; this has %(n)s.", most=200, n=len(reason)
                )
            }
        )
    return reason

"""Reading a Chinese address line as people paste it: who, which number, where. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_PHONE = re.compile(r"(?<!\d)(?:\+?86[\s-]?)?(1[3-9]\d[\s-]?\d{4}[\s-]?\d{4})(?!\d)")
_LABEL = re.compile(
    r"(收件人|收货人|姓名|联系人|手机号码|手机号|手机|电话|联系电话|所在地区|地区|详细地址|收货地址|地址)\s*:?"
)
_NAME = re.compile(r"[㐀-鿿·]{2,6}(先生|女士|老师)?")
_ADDRESS_MARKS = re.compile(r"[省市区县旗镇乡村街道路巷号栋楼室单元组社园]")
_SUFFIX = re.compile(r"(特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|省|市)$")

# Prefectures that are only a heading of the code list, and are never written in an address.
PLACEHOLDERS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


@dataclass(frozen=True, slots=True)
class Place:
    """A county with what it lies in."""

    code: str
    county: str
    prefecture: str
    province: str

    @property
    def name(self) -> str:
        """重庆市渝北区; 浙江省杭州市西湖区"""
        middle = "" if self.prefecture in PLACEHOLDERS else self.prefecture
        return f"{self.province}{middle}{self.county}"


@dataclass(frozen=True, slots=True)
class Pasted:
    """What could be read of a pasted line; what could not is empty."""

    recipient: str = ""
    phone: str = ""
    address: str = ""


def read_pasted(text: str) -> Pasted:
    """`林女士 138 5550 1234 重庆市渝北区龙山街道松牌路8号` in any order, with or without labels."""
    plain = unicodedata.normalize("NFKC", text).replace("\n", " ")
    phone = ""
    if match := _PHONE.search(plain):
        phone = re.sub(r"\D", "", match[1])
        plain = plain[: match.start()] + " " + plain[match.end() :]
    pieces = [
        piece for piece in re.split(r"[\s,;、|]+", _LABEL.sub(" ", plain)) if piece.strip(" :")
    ]
    recipient = ""
    for piece in pieces:
        if _NAME.fullmatch(piece) and not _ADDRESS_MARKS.search(piece):
            recipient = piece
            break
    rest = [piece for piece in pieces if piece != recipient]
    return Pasted(recipient, phone, " ".join(rest))


def choose_place(text: str, candidates: Iterable[Place]) -> Place | None:
    """The one county this text speaks of; None when it names none, or several alike."""
    plain = re.sub(r"\s", "", text)
    scored = sorted(
        ((_score(plain, place), place) for place in candidates if place.county in plain),
        key=lambda pair: (pair[0], pair[1].code),
        reverse=True,
    )
    if not scored or (len(scored) > 1 and scored[0][0] == scored[1][0]):
        return None
    return scored[0][1]


def after_place(text: str, place: Place) -> str:
    """The street and house: what stands behind the county's name."""
    head, found, tail = text.partition(place.county)
    return tail.strip(" ,") if found else head.strip()


def _score(text: str, place: Place) -> tuple[bool, bool, int]:
    def named(name: str) -> bool:
        return name not in PLACEHOLDERS and _SUFFIX.sub("", name) in text

    return named(place.province), named(place.prefecture), len(place.county)

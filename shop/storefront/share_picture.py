"""The picture beside a shared link: 1200 × 630, our own drawing or photo, and words that are true.

Drawn by typst from `templates/pdf/share.typ`. A picture takes a tenth of a second, so each is kept
in this process's memory until something that stands on it changes.
"""

from __future__ import annotations

import base64
import io
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps
from sqlalchemy.orm import Session

from catalog.lots.queries import ProductSheet
from catalog.lots.queries.sheet import PackOffer
from catalog.products.models import Product
from catalog.products.queries.photos import photo_of as find_photo
from config import ROOT
from kernel.pdf import make_png
from kernel.storage import Storage
from shop.storefront import dividing

DRAWINGS = ROOT / "static" / "img" / "illustrations"
KEPT = 64
FRAME, WIDEST = (560, 630), 960


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on the picture; `drawing` is the file of the illustration."""

    name: str
    summary: str
    price: str
    share: str
    drawing: str


def words_of(sheet: ProductSheet, chosen: PackOffer | None, groups: list[dividing.Group]) -> Words:
    """In Chinese: the apps that show it ask without a language."""
    product = sheet.product
    share = dividing.households_get(groups)
    price = chosen.pack.price if chosen is not None else None
    return Words(
        product.name_zh,
        product.summary_zh,
        f"{price}，{chosen.pack.name_zh}" if chosen is not None and price is not None else "",
        f"其中 {share} 归种它的农户" if share.fen > 0 else "",
        product.illustration,
    )


def photo_of(session: Session, product: Product) -> str:
    """The file of the first photo the shop shows; empty while it has none."""
    if not product.gallery:
        return ""
    first = product.gallery[0]
    photo = find_photo(session, first["id"], organisation_id=None, everything=False)
    narrow = [width for width, _ in first["sizes"] if width <= WIDEST] or [first["sizes"][0][0]]
    found = photo.picture.rendition(narrow[-1], "webp")
    return str(found["sha256"]) if found else ""


@lru_cache(maxsize=KEPT)
def drawn(words: Words, storage: Storage, photo: str) -> bytes:
    """The PNG; the drawing stands in where `photo` is empty."""
    if photo:
        svg = _framed(storage.get(photo))
    else:
        drawing = Path(words.drawing).name
        svg = (DRAWINGS / f"{drawing}.svg").read_text(encoding="utf-8")
    return make_png("share", {**asdict(words), "svg": svg, "photo": bool(photo)})


def _framed(webp: bytes) -> str:
    """A photo cut to its half of the picture, inside a drawing: typst reads that from memory."""
    written = io.BytesIO()
    whole = Image.open(io.BytesIO(webp)).convert("RGB")
    ImageOps.fit(whole, FRAME).save(written, "JPEG", quality=85)
    coded = base64.b64encode(written.getvalue()).decode()
    width, height = FRAME
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{coded}"/></svg>'
    )

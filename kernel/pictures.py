"""Photographs people upload: read with suspicion, made small, stripped of where they were taken.

What comes in is decoded and drawn anew. The original is never kept and never served: a phone's
photo of a field says in its EXIF where the household lives. `render` is pure; the bytes are put
into the store before the transaction and `keep_picture` writes the row that names them inside it,
as `kernel.storage` does with files.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.actors import Actor
from kernel.db import Made, Model, stamp
from kernel.errors import Text
from kernel.storage import Storage

WIDTHS = (480, 960, 1600)
MOST_BYTES = 10 * 1024 * 1024
# A file of a few kilobytes can unfold into gigabytes: its size is read before its pixels.
MOST_PIXELS = 50_000_000
READ = ("JPEG", "PNG", "WEBP", "AVIF")
# In the order in which a browser is offered them: the smaller file first.
FORMATS = (("AVIF", "image/avif", "avif", 55), ("WEBP", "image/webp", "webp", 78))
EVIDENCE_WIDTH = 1600


class NotAPicture(ValueError):
    """These bytes are no photograph we can use; `sentence` says why, to who chose the file."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Rendition:
    """One drawing of a picture: so wide, in this format."""

    media_type: str
    extension: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture in all its widths and formats, put into the store already."""

    name: str
    width: int
    height: int
    renditions: tuple[dict[str, Any], ...]


class Picture(Made, Model):
    """A photograph in several widths, each as AVIF and WebP; without EXIF, upright."""

    __tablename__ = "pictures"

    name: Mapped[str] = mapped_column(sa.String(200))
    width: Mapped[int]
    height: Mapped[int]
    # [{"width", "height", "extension", "media_type", "sha256", "size"}, …], narrowest first.
    renditions: Mapped[list[Any]]

    def rendition(self, width: int, extension: str) -> dict[str, Any] | None:
        """The file of this width and format, if there is one."""
        return next(
            (
                each
                for each in self.renditions
                if each["width"] == width and each["extension"] == extension
            ),
            None,
        )


def sizes(renditions: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """(width, height) of every width there is, narrowest first: what a `srcset` lists."""
    return sorted({(each["width"], each["height"]) for each in renditions})


def render(content: bytes) -> list[Rendition]:
    """The picture in up to three widths, never wider than it came, as AVIF and WebP.

    Raises NotAPicture with a sentence for anything that is no JPEG, PNG, WebP or AVIF photograph.
    """
    image = _opened(content)
    found = []
    for width in sorted({min(width, image.width) for width in WIDTHS}):
        small = _at_most(image, width)
        found += [
            Rendition(
                media_type, extension, small.width, small.height, _saved(small, kind, quality)
            )
            for kind, media_type, extension, quality in FORMATS
        ]
    return found


def clean_jpeg(content: bytes) -> bytes:
    """One JPEG of at most 1,600 pixels, upright and without EXIF: a photo kept as evidence.

    Raises NotAPicture as `render` does.
    """
    return _saved(_at_most(_opened(content), EVIDENCE_WIDTH), "JPEG", 85)


def put_picture(storage: Storage, content: bytes, *, name: str) -> Rendered:
    """Every rendition is in the store; call it before the transaction begins."""
    made = render(content)
    renditions = tuple(
        {
            "width": each.width,
            "height": each.height,
            "extension": each.extension,
            "media_type": each.media_type,
            "sha256": storage.put(each.content, media_type=each.media_type, name=name).sha256,
            "size": len(each.content),
        }
        for each in made
    )
    return Rendered(name[:200], made[-1].width, made[-1].height, renditions)


def keep_picture(session: Session, rendered: Rendered, *, by: Actor, now: datetime) -> Picture:
    """The row that names the renditions."""
    picture = Picture(
        name=rendered.name,
        width=rendered.width,
        height=rendered.height,
        renditions=list(rendered.renditions),
        **stamp(by, now),
    )
    session.add(picture)
    session.flush()  # so that the caller can point to picture.id
    return picture


def _opened(content: bytes) -> Image.Image:
    """Decoded, upright, in sRGB; its size is looked at before a single pixel is."""
    if len(content) > MOST_BYTES:
        raise NotAPicture(Text("A photo has at most 10 MB."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content), formats=READ)
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture(Text("This photo has too many pixels; at most 50 million."))
            image.load()
        image = ImageOps.exif_transpose(image)
        return _on_white(_in_srgb(image))
    except UnidentifiedImageError:
        raise NotAPicture(Text("A photo is a JPEG, PNG, WebP or AVIF picture.")) from None
    except Image.DecompressionBombError:
        raise NotAPicture(Text("This photo has too many pixels; at most 50 million.")) from None
    except (OSError, SyntaxError, ValueError, IndexError, EOFError) as error:
        if isinstance(error, NotAPicture):
            raise
        raise NotAPicture(Text("This photo is damaged and cannot be opened.")) from None


def _in_srgb(image: Image.Image) -> Image.Image:
    """Phones take wider colours; without their profile these would look dull."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return image
    return image if turned is None else turned


def _on_white(image: Image.Image) -> Image.Image:
    """What was see-through becomes white; a fresh picture carries nothing of the file it was."""
    plain = Image.new("RGB", image.size, "white")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        plain.paste(seen, mask=seen.getchannel("A"))
    else:
        plain.paste(image.convert("RGB"))
    return plain


def _at_most(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _saved(image: Image.Image, kind: str, quality: int) -> bytes:
    written = io.BytesIO()
    speed = {"speed": 8} if kind == "AVIF" else {}
    image.save(written, kind, quality=quality, **speed)
    return written.getvalue()

"""Photographs that come in are drawn anew: small, upright, silent about where they were taken."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from kernel.pictures import (
    MOST_BYTES,
    NotAPicture,
    clean_jpeg,
    keep_picture,
    put_picture,
    render,
    sizes,
)
from kernel.storage import Storage
from tests import makers


def opened(content):
    return Image.open(io.BytesIO(content))


def test_a_photo_becomes_avif_and_webp_in_three_widths():
    made = render(makers.photograph(2400, 1600))
    assert [(each.extension, each.width, each.height) for each in made] == [
        ("avif", 480, 320), ("webp", 480, 320),
        ("avif", 960, 640), ("webp", 960, 640),
        ("avif", 1600, 1067), ("webp", 1600, 1067),
    ]  # fmt: skip
    for each in made:
        image = opened(each.content)
        assert (image.format.lower(), image.size) == (each.extension, (each.width, each.height))


def test_a_small_photo_is_never_blown_up():
    assert {(each.width, each.height) for each in render(makers.photograph(600, 400))} == {
        (480, 320), (600, 400),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_says_any_more_where_or_with_what_it_was_taken(kind):
    original = makers.photograph(gps=True, kind=kind)
    assert opened(original).getexif().get_ifd(0x8825), "the test itself must have a place to lose"
    for content in (*(each.content for each in render(original)), clean_jpeg(original)):
        image = opened(content)
        assert not image.getexif()
        assert not image.getexif().get_ifd(0x8825)
        assert b"Some Phone" not in content
        assert b"Exif" not in content


def test_a_photo_taken_sideways_stands_upright():
    image = opened(clean_jpeg(makers.photograph(1200, 800, turned=True)))
    assert image.size == (800, 1200)
    red, green, _ = image.getpixel((700, 100))
    assert red > green, "what was top left is top right after a quarter turn"


def test_what_was_see_through_becomes_white():
    written = io.BytesIO()
    Image.new("RGBA", (500, 500), (0, 0, 0, 0)).save(written, "PNG")
    assert opened(clean_jpeg(written.getvalue())).getpixel((250, 250)) == (255, 255, 255)


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 × 60,000 pixels."""

    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "JPEG, PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "JPEG, PNG"),
        (b"\xff\xd8\xff" + b"0" * 50, "JPEG, PNG"),
        (b"%PDF-1.7", "JPEG, PNG"),
        (bomb(), "too many pixels"),
        (makers.photograph()[:3000], "damaged"),
        (b"\xff\xd8" + b"0" * MOST_BYTES, "10 MB"),
    ],
    ids=["nothing", "svg", "only a beginning", "pdf", "bomb", "cut off", "too large"],
)
def test_what_is_no_photo_is_refused_with_a_sentence(content, sentence):
    for use in (render, clean_jpeg):
        with pytest.raises(NotAPicture) as refused:
            use(content)
        assert sentence in str(refused.value.sentence)


def test_a_picture_is_kept_as_its_renditions_and_the_original_is_not(session, tmp_path):
    store = Storage(tmp_path / "files")
    original = makers.photograph(2400, 1600, gps=True)
    kept = keep_picture(
        session, put_picture(store, original, name="萝卜.jpg"), by=makers.SOMEBODY, now=makers.NOON
    )
    assert sizes(kept.renditions) == [(480, 320), (960, 640), (1600, 1067)]
    wide = kept.rendition(1600, "webp")
    assert opened(store.get(wide["sha256"])).size == (1600, 1067)
    assert kept.rendition(1601, "webp") is None
    assert kept.rendition(1600, "jpg") is None
    files = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(files) == 6
    assert original not in [path.read_bytes() for path in files]

"""Pictures of the sample, drawn from nothing: rejected goods, and a paper that was signed."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from random import Random

from kernel.storage import Blob, Storage

WIDTH, HEIGHT = 96, 72
_GREENS = ((122, 148, 84), (150, 128, 92), (176, 90, 78))


def photo(storage: Storage, chance: Random) -> Blob:
    """One of a few dozen pictures, put into the store."""
    picture = _png(chance.choice(_GREENS), (chance.randint(20, 76), chance.randint(16, 56)))
    return storage.put(picture, media_type="image/png", name="验收照片.png")


def paper(storage: Storage) -> Blob:
    """A form with its lines and a signature: what was signed for every consent of the sample."""
    return storage.put(_form(), media_type="image/png", name="同意书.png")


@cache
def _form() -> bytes:
    width, height = 148, 210
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            line = 18 < x < width - 18 and y % 14 == 0 and 40 < y < 150
            title = 50 < x < 98 and 18 < y < 26
            signed = abs((y - 176) - (((x - 84) % 12) - 6)) < 2 and 84 < x < 130
            rows += bytes((60, 60, 70) if line or title or signed else (250, 248, 243))
    return _drawn(width, height, rows)


def _png(colour: tuple[int, int, int], spot: tuple[int, int]) -> bytes:
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            near = (x - spot[0]) ** 2 + (y - spot[1]) ** 2
            shade = 0.35 if near < 60 else 0.8 if y % 18 < 2 or x % 24 < 2 else 1
            rows += bytes(int(each * shade) for each in colour)
    return _drawn(WIDTH, HEIGHT, rows)


def _drawn(width: int, height: int, rows: bytes | bytearray) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )  # fmt: skip

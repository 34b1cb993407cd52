"""Photos that people send with a form."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import FileStorage

from kernel.errors import Invalid, Text
from kernel.text import tidy

MOST_BYTES = 10 * 1024 * 1024


def read_pictures(
    files: Sequence[FileStorage], *, name: str = "photos", most: int = 1
) -> list[tuple[bytes, str, str]]:
    """(bytes, media type, name) of the chosen pictures; Invalid at field `name` for all else."""
    chosen = [each for each in files if each.filename]
    if len(chosen) > most:
        raise Invalid({name: Text("At most %(most)s photos.", most=most)})
    found = []
    for each in chosen:
        content = each.read(MOST_BYTES + 1)
        media_type = picture_type(content)
        if media_type is None:
            raise Invalid({name: Text("A photo is a JPEG, PNG or WebP picture.")})
        if len(content) > MOST_BYTES:
            raise Invalid({name: Text("A photo has at most 10 MB.")})
        found.append((content, media_type, tidy(each.filename or "")[:200]))
    return found


def picture_type(content: bytes) -> str | None:
    """By its first bytes: what a browser says of a file is not evidence."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None

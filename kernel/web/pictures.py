"""Photos that people send with a form, as evidence."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import FileStorage

from kernel.errors import Invalid, Text
from kernel.pictures import MOST_BYTES, NotAPicture, clean_jpeg
from kernel.text import tidy

JPEG = "image/jpeg"


def read_photos(
    files: Sequence[FileStorage], *, name: str = "photos", most: int = 1
) -> list[tuple[bytes, str, str]]:
    """(bytes, media type, name) of the chosen pictures, drawn anew without EXIF; Invalid at field
    `name` for anything else."""
    chosen = [each for each in files if each.filename]
    if len(chosen) > most:
        raise Invalid({name: Text("At most %(most)s photos.", most=most)})
    found = []
    for each in chosen:
        try:
            cleaned = clean_jpeg(each.read(MOST_BYTES + 1))
        except NotAPicture as refused:
            raise Invalid({name: refused.sentence}) from refused
        found.append((cleaned, JPEG, tidy(each.filename or "")[:200]))
    return found

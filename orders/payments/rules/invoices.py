"""What an electronic invoice and its file look like. Pure."""

from __future__ import annotations

from kernel.errors import Text

MOST_BYTES = 5 * 1024 * 1024

PDF, OFD = "application/pdf", "application/ofd"


def number_problem(number: str) -> Text | None:
    """Why this is no number of an electronic invoice, or None (数电票: 20 digits)."""
    if not (number.isascii() and number.isdigit() and len(number) == 20):
        return Text("An electronic invoice has 20 digits; this has %(n)s.", n=len(number))
    return None


def file_type(content: bytes, name: str) -> str | None:
    """What the file is, by its first bytes and not by its name alone; None for anything else."""
    if len(content) > MOST_BYTES:
        return None
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"PK\x03\x04") and name.lower().endswith(".ofd"):
        return OFD
    return None

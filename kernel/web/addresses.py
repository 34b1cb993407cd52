"""Addresses that came from outside and may be followed, and the address of a static file."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import current_app, request

from kernel.services import Services


def own_address(address: str | None, otherwise: str = "/") -> str:
    """The path and query of an address of ours; `otherwise` for anything that leads elsewhere."""
    if not address:
        return otherwise
    parts = urlsplit(address)
    if parts.netloc and parts.netloc != request.host:
        return otherwise
    path = parts.path
    # `//host` and `/\host` are other hosts to a browser; control characters hide them.
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(c < " " for c in address):
        return otherwise
    return path + (f"?{parts.query}" if parts.query else "")


def public_address(path: str) -> str:
    """Where the world finds this path, whatever name this machine was asked under."""
    found: Services = current_app.extensions["services"]
    return found.config.public_url + path


def static_url(path: str) -> str:
    """The address of a static file, marked with its content so that it may be kept for a year.

    What a file holds is looked at once in a process's life: assets change with a new start.
    """
    folder = current_app.static_folder
    assert folder is not None
    return _marked(folder, path)


@cache
def _marked(folder: str, path: str) -> str:
    file = Path(folder) / path
    if not file.is_file():
        return f"/static/{quote(path)}"
    return f"/static/{quote(path)}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"

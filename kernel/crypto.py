"""Personal secrets at rest: sealed columns, and keyed hashes to look them up by.

One process has one field key, set once at the start (`use_key`).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_keys: dict[str, bytes] = {}


def use_key(field_key: str) -> None:
    """Derive the sealing and the hashing key from the configured secret."""
    for purpose in ("seal", "hash"):
        _keys[purpose] = hmac.digest(field_key.encode(), purpose.encode(), "sha256")


def seal(text: str) -> bytes:
    return seal_bytes(text.encode())


def unseal(sealed: bytes) -> str:
    return unseal_bytes(sealed).decode()


def seal_bytes(content: bytes) -> bytes:
    """For whole files that hold personal secrets."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_keys["seal"]).encrypt(nonce, content, None)


def unseal_bytes(sealed: bytes) -> bytes:
    return AESGCM(_keys["seal"]).decrypt(sealed[:12], sealed[12:], None)


def keyed_hash(text: str) -> str:
    """Look-up value for a sealed text; the same text always gives the same 64 hex digits."""
    return hmac.new(_keys["hash"], text.strip().upper().encode(), hashlib.sha256).hexdigest()


class Sealed(sa.TypeDecorator[str]):
    """A text that the database only ever sees encrypted (AES-256-GCM)."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else unseal(bytes(value))

"""The key that opens an order's page without an account. Pure."""

from __future__ import annotations

import hmac
from base64 import b32encode


def order_key(secret: str, code: str) -> str:
    """Whoever was shown this may open the order; nobody can compute it without the secret."""
    digest = hmac.digest(secret.encode(), f"order:{code}".encode(), "sha256")
    return b32encode(digest[:15]).decode().lower()


def key_fits(secret: str, code: str, key: str) -> bool:
    return hmac.compare_digest(order_key(secret, code).encode(), key.strip().lower().encode())


def order_address(public_url: str, secret: str, code: str) -> str:
    return f"{public_url}/orders/{code}?key={order_key(secret, code)}"

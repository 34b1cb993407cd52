"""Passwords are kept as Argon2id hashes with OWASP's parameters."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LENGTH = 10

_careful = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_fast = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_password(password: str, *, fast: bool = False) -> str:
    """`fast` is for tests only."""
    return _hasher(fast).hash(password)


def password_matches(password: str, kept: str | None, *, fast: bool = False) -> bool:
    """False also when no password was ever set, in the same time as for a wrong one."""
    hasher = _hasher(fast)
    try:
        return hasher.verify(kept or _nobody(fast), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str, *, fast: bool = False) -> bool:
    """Whether the hash was made with other parameters and should be made again."""
    return _hasher(fast).check_needs_rehash(kept)


def _hasher(fast: bool) -> PasswordHasher:
    return _fast if fast else _careful


_of_nobody: dict[bool, str] = {}


def _nobody(fast: bool) -> str:
    if fast not in _of_nobody:
        _of_nobody[fast] = _hasher(fast).hash("nobody has this password")
    return _of_nobody[fast]

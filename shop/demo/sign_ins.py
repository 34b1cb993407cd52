"""The sample sign-ins: one password, made at random at the first start, kept in the data folder."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import COMMAND
from kernel.passwords import hash_password
from kernel.people import User
from kernel.services import Services
from shop.demo.people import CITIZEN, MAIL, SIGN_INS

NAME = "sign-ins.json"


def give_password(services: Services, folder: Path) -> None:
    """Every sample account has the kept password; a new one is made when none is kept."""
    path = folder / NAME
    if path.exists():
        return
    password = secrets.token_urlsafe(9)
    with services.database.transaction() as session:
        _set(session, password, services)
    users = {sign: f"{sign}{MAIL}" for sign in (CITIZEN, *SIGN_INS.values())}
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"password": password, "users": users}, file, indent=1)


def _set(session: Session, password: str, services: Services) -> None:
    kept = hash_password(password, fast=services.config.fast_passwords)
    found = session.scalars(sa.select(User).where(User.email.like(f"%{MAIL}"))).all()
    for user in found:
        user.password_hash = kept
    now = services.clock()
    audit.note(session, "give_password", "users:sample", by=COMMAND, now=now, count=len(found))

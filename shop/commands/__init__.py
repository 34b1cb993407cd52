"""What `flask …` can do."""

from __future__ import annotations

from flask import Flask

from shop.commands import audit, database, selfcheck, users, worker

COMMANDS = [audit.group, database.group, selfcheck.command, users.group, worker.command]


def register(app: Flask) -> None:
    for each in COMMANDS:
        app.cli.add_command(each)

"""What `flask …` can do."""

from __future__ import annotations

from flask import Flask

from shop.commands import audit, books, database, demo, excel, selfcheck, users, worker

COMMANDS = [
    audit.group,
    books.group,
    database.group,
    demo.command,
    excel.import_command,
    excel.template_command,
    selfcheck.command,
    users.group,
    worker.command,
]


def register(app: Flask) -> None:
    for each in COMMANDS:
        app.cli.add_command(each)

"""Every door of the house: the blueprints of the rooms. One line each, in the order of the rooms."""

from __future__ import annotations

from flask import Blueprint

from shop.views import account, admin, machine, settings

BLUEPRINTS: list[Blueprint] = [
    account.bp,
    settings.bp,
    admin.bp,
    machine.bp,
]

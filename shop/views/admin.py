"""The operator's desk: who has accounts, and what the worker is doing."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")

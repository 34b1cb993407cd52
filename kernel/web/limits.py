"""A generous limit of requests per visitor and minute, counted in this process's memory.

Failed sign-ins are counted elsewhere, in the database (`kernel.signing_in`): they are evidence.
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from config import Config

UNLIMITED = ("static", "machine.healthz", "machine.readyz", "machine.metrics")


def init_app(app: Flask, config: Config) -> None:
    app.config["RATELIMIT_ENABLED"] = config.requests_per_minute > 0
    limit = f"{config.requests_per_minute or 1} per minute"
    # Every page counts towards the same limit.
    limiter = Limiter(get_remote_address, application_limits=[limit], storage_uri="memory://")
    limiter.request_filter(_unlimited)
    limiter.init_app(app)


def _unlimited() -> bool:
    return request.endpoint in UNLIMITED

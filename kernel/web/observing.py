"""What the house says about itself: one JSON line per request, and figures for Prometheus."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import secrets
import sys
import time

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger("web")

_registry = CollectorRegistry()
_seconds = Histogram(
    "sutian_request_seconds",
    "Seconds from the first byte in to the last byte ready, by address pattern",
    ["method", "route", "status"],
    registry=_registry,
)
_bugs = Counter("sutian_bugs", "Requests that ended in an error of ours", registry=_registry)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def init_app(app: Flask) -> None:
    configure_logs()
    app.before_request(_begin)
    app.after_request(_end)
    app.jinja_env.globals["request_id"] = request_id


def configure_logs() -> None:
    """JSON lines to standard error. Nothing personal is ever written into one."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # The plain traceback: with local variables a log would hold secrets and names.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_standard_error,
        cache_logger_on_first_use=False,
    )


def _standard_error(*_args: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)


def request_id() -> str:
    """The name of this request in the log: the proxy's, or one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    found: str = g.request_id
    return found


def count_bug() -> None:
    _bugs.inc()


def figures() -> bytes:
    """All figures of this process, or of all its siblings if they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_registry)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def may_read_figures(allowed: tuple[str, ...], *, proxies: int) -> bool:
    """Only from the configured addresses and networks; never through a proxy we do not know."""
    if not proxies and "X-Forwarded-For" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return any(
        address in ipaddress.ip_network(each.strip(), strict=False) for each in allowed if each
    )


def _begin() -> None:
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_id())


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "none"
    _seconds.labels(request.method, route, response.status_code).observe(seconds)
    if request.endpoint != "static":
        # The pattern, not the path: addresses of orders and passbooks carry keys.
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            user=g.get("user_id"),
        )
    return response

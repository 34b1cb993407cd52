"""For machines that watch over us: alive, ready, and figures."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, abort, jsonify

from kernel.outbox import Heartbeat
from kernel.web import observing
from kernel.web.access import public
from kernel.web.work import now, services, session
from shop.schema import is_current

bp = Blueprint("machine", __name__)

# A worker that was not seen for so long is taken for gone.
SEEN_WITHIN = timedelta(seconds=90)


@bp.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify(ok=True)


@bp.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers, its schema is the newest, and a worker was seen lately."""
    found = {"database": False, "migrations": False, "worker": False}
    seconds = None
    try:
        seen = session().scalar(sa.select(sa.func.max(Heartbeat.at)))
        found["database"] = True
        found["migrations"] = is_current(services().database)
        if seen is not None:
            seconds = (now() - seen).total_seconds()
            found["worker"] = seconds < SEEN_WITHIN.total_seconds()
    except sa.exc.SQLAlchemyError as error:
        observing.log.warning("not ready", error=type(error).__name__)
    ready = all(found.values())
    return jsonify(ready=ready, **found, worker_seen_seconds_ago=seconds), 200 if ready else 503


@bp.get("/metrics")
@public
def metrics() -> Response:
    """For Prometheus, and for nobody else."""
    config = services().config
    if not observing.may_read_figures(config.metrics_from, proxies=config.proxies):
        abort(404)
    return Response(observing.figures(), mimetype="text/plain")

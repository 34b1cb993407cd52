"""`flask worker`"""

from __future__ import annotations

import signal
import threading

import click
from flask.cli import with_appcontext

from kernel.web.work import services
from shop.working import Worker


@click.command("worker")
@click.option("--once", is_flag=True, help="Do everything that is due and end.")
@with_appcontext
def command(once: bool) -> None:
    """Do background jobs and schedules until told to end (SIGTERM, SIGINT)."""
    worker = Worker(services())
    if once:
        worker.drain()
        return
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    worker.run_until(stop)

"""How the house is served: `gunicorn -c python:shop.gunicorn wsgi:app`."""

from __future__ import annotations

import gc
from typing import Any

workers, threads, worker_class = 2, 4, "gthread"
graceful_timeout = 3

# The house is built once and forked: its workers share the memory of everything that never changes.
preload_app = True


def pre_fork(_server: Any, _worker: Any) -> None:
    """What is built by now stays as long as the process: the collector need not touch (and so copy)
    it over and over."""
    gc.collect()
    gc.freeze()

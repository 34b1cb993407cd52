"""Browsers that never pause: each sends its next request when the last one was answered."""

from __future__ import annotations

import gzip
import http.client
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.served import STATEMENTS


@dataclass(slots=True)
class Answer:
    status: int
    location: str
    body: str
    statements: int


class Browser:
    """One connection that stays open, and its cookies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {"lang": "zh"}

    def somebody_else(self) -> Browser:
        """With cookies of their own, at the same connection."""
        other = Browser(self._port)
        other._connection = self._connection
        return other

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        return self._ask("POST", path, urlencode(form))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Referer": f"http://127.0.0.1:{self._port}/",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        raw = response.read()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        if response.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return Answer(
            response.status,
            response.getheader("Location", ""),
            raw.decode("utf-8", "replace"),
            int(response.getheader(STATEMENTS, "0")),
        )


def hidden_fields(page: str, form_to: str) -> dict[str, str]:
    """What the form that is sent to this address carries unseen."""
    form = re.search(rf'<form[^>]*action="{re.escape(form_to)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    if form is None:
        raise RuntimeError(f"no form to {form_to}")
    found = {}
    for field_ in re.findall(r'<input[^>]*type="hidden"[^>]*>', form.group(1)):
        name, value = re.search(r'name="([^"]*)"', field_), re.search(r'value="([^"]*)"', field_)
        if name:
            found[name.group(1)] = value.group(1) if value else ""
    return found


@dataclass(slots=True)
class Run:
    """What was done in how many seconds, how long each took, how many statements each sent."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)

    @property
    def done(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        if self.done < 2:
            return self.latencies[0] * 1000 if self.latencies else 0.0
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1000

    @property
    def most_statements(self) -> int:
        return max(self.statements, default=0)


Step = Callable[[Browser, int, int], int]


def drive(port: int, step: Step, *, connections: int = 8, seconds: float = 4.0) -> Run:
    """`step(browser, connection, turn)` over and over until the time is over; it answers how many
    statements it took, and raises when an answer was not what it should be."""
    run, lock, failures = Run(), threading.Lock(), []
    until = time.perf_counter() + seconds

    def go(number: int) -> None:
        browser, turn = Browser(port), 0
        try:
            while time.perf_counter() < until and not failures:
                begin = time.perf_counter()
                statements = step(browser, number, turn)
                took = time.perf_counter() - begin
                with lock:
                    run.latencies.append(took)
                    run.statements.append(statements)
                turn += 1
        except Exception as failure:  # noqa: BLE001  told by the main thread
            failures.append(failure)

    begin = time.perf_counter()
    threads = [threading.Thread(target=go, args=(n,)) for n in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    run.seconds = time.perf_counter() - begin
    if failures:
        raise failures[0]
    return run

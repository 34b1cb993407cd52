"""What runs while it is measured: PostgreSQL, the payment sandbox, gunicorn; all on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Web:
    """gunicorn as `make demo` starts it: 2 workers of 4 threads."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds that its processes have worked since they began."""
        return sum(_cpu(pid) for pid in self._family())

    def memory(self) -> int:
        """Whole megabytes that its processes hold together: a page that several share counts once
        (the kernel's PSS, which splits it among them)."""
        rolled = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self._family()]
        return (
            sum(int(re.search(r"^Pss:\s+(\d+)", each, re.MULTILINE)[1]) for each in rolled) // 1024
        )

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]


def _cpu(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


@contextlib.contextmanager
def web(application: str, environment: Mapping[str, str]) -> Iterator[Web]:
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "gunicorn"), "--bind", f"127.0.0.1:{port}",
        "-c", "python:shop.gunicorn", "--keep-alive", "30", application,
    ]  # fmt: skip
    with _running(command, environment) as process:
        _wait_for(port, process)
        yield Web(port, process.pid)


@contextlib.contextmanager
def payments(environment: Mapping[str, str]) -> Iterator[str]:
    """The payment provider's sandbox; its address. Its events lead nowhere."""
    port = free_port()
    environment = {**environment, "DATA_DIR": ""}  # it need not remember what it was asked
    command = [
        sys.executable, "-m", "sandbox", "--port", str(port),
        "--webhook", f"http://127.0.0.1:{free_port()}/webhooks/stripe",
    ]  # fmt: skip
    with _running(command, environment) as process:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(
    command: list[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

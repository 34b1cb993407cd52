"""`make demo`: the sample township, its web server, a worker and the sandbox payment server.

Everything is started here and ended here: Ctrl-C (or the end of any one of them) stops the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from config import ROOT, Config

# What FRESH=1 takes away; nothing else in the data folder is touched.
MADE_HERE = (
    "sutian.db",
    "sutian.db-wal",
    "sutian.db-shm",
    "files",
    "mail",
    "sandbox",
    "sign-ins.json",
)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--fresh", action="store_true")
    fresh = options.parse_args().fresh
    port = int(os.environ.get("PORT", "8000"))
    config = Config.from_env()
    _refuse_a_taken_port(port)
    if fresh:
        _start_over(config.data_dir)
    sandbox_port = _free_port()
    environment = {
        **os.environ,
        "DATA_DIR": str(config.data_dir),
        "SUTIAN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
        "STRIPE_API_KEY": config.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": config.stripe_webhook_secret,
        "PROMETHEUS_MULTIPROC_DIR": str(_empty_folder(config.data_dir / "metrics")),
    }
    for command in (["db", "upgrade"], ["demo"]):
        subprocess.run([_program("flask"), *command], check=True, cwd=ROOT, env=environment)
    sys.exit(_run_together(_commands(port, sandbox_port), environment, config.data_dir, port))


def _commands(port: int, sandbox_port: int) -> dict[str, list[str]]:
    webhook = f"http://127.0.0.1:{port}/webhooks/stripe"
    return {
        "sandbox": [
            sys.executable, "-m", "sandbox", "--port", str(sandbox_port), "--webhook", webhook,
        ],
        "worker": [_program("flask"), "worker"],
        "web": [
            _program("gunicorn"), "-c", "python:shop.gunicorn", "--bind", f"127.0.0.1:{port}",
            "wsgi:app",
        ],
    }  # fmt: skip


def _run_together(
    commands: dict[str, list[str]], environment: dict[str, str], data_dir: Path, port: int
) -> int:
    logs = data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    running: dict[str, subprocess.Popen[bytes]] = {}
    stop = {"asked": False}

    def ask_to_stop(*_: object) -> None:
        stop["asked"] = True

    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, ask_to_stop)
    try:
        for name, command in commands.items():
            with (logs / f"{name}.log").open("ab") as log:
                # A session of its own, so that Ctrl-C reaches only us and they end in order.
                running[name] = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
        if _comes_up(port, running, stop):
            _welcome(port, data_dir)
        while not stop["asked"] and all(each.poll() is None for each in running.values()):
            time.sleep(0.2)
        ended = [name for name, each in running.items() if each.poll() is not None]
        if ended and not stop["asked"]:
            print(f"{ended[0]} ended by itself; see {logs / ended[0]}.log", file=sys.stderr)
            return 1
        return 0
    finally:
        for each in running.values():
            each.terminate()
        for each in running.values():
            try:
                each.wait(timeout=8)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


def _comes_up(
    port: int, running: dict[str, subprocess.Popen[bytes]], stop: dict[str, bool]
) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and not stop["asked"]:
        if any(each.poll() is not None for each in running.values()):
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _welcome(port: int, data_dir: Path) -> None:
    signs = json.loads((data_dir / "sign-ins.json").read_text())
    print(f"\n  溯田 Sutian   http://127.0.0.1:{port}\n")
    print(f"  Sign in at    http://127.0.0.1:{port}/sign-in")
    print(f"  Password      {signs['password']}   (for every sample account)")
    print(f"  Accounts      {', '.join(signs['users'])}   each @sutian.test\n")
    print("  Ctrl-C ends everything.\n", flush=True)


def _start_over(data_dir: Path) -> None:
    for name in MADE_HERE:
        path = data_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _empty_folder(path: Path) -> Path:
    """Figures of processes that are gone would be added to those of today."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _refuse_a_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"Port {port} is in use. Choose another: make demo PORT=8123")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


if __name__ == "__main__":
    main()

"""`make demo` in a copy, on a free port: the home page, a product, /readyz, then the end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = Path(tempfile.mkdtemp(prefix="newcomer_"))
    copy = home / "sutian"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    environment = {**os.environ, "PORT": str(port), "DATA_DIR": str(home / "data")}
    begun = time.monotonic()
    demo = subprocess.Popen(["make", "demo"], cwd=copy, env=environment, start_new_session=True)
    try:
        base = f"http://127.0.0.1:{port}"
        wait_until_ready(base, demo)
        print(f"make demo was ready after {time.monotonic() - begun:.0f} s", flush=True)
        first = re.search(r'href="(/products/[^"?]+)"', fetch(base + "/products"))
        assert first, "the list of products links to no product"
        for address, sign in (("/", "溯田"), (first[1], "</html>"), ("/readyz", "")):
            assert sign in fetch(base + address), f"{address} does not show {sign}"
            print(f"ok {address}", flush=True)
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the web server outlived make demo"


def wait_until_ready(base: str, demo: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 420
    while time.monotonic() < until:
        if demo.poll() is not None:
            sys.exit("make demo ended by itself")
        try:
            fetch(base + "/readyz")
        except OSError:
            time.sleep(1)
        else:
            return
    sys.exit("make demo was not ready in time")


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    main()

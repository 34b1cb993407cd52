"""Make `.venv` and `static/vendor` as the lock files say. Standard library only: it runs first.

Does nothing when nothing changed. Usage: setup_environment.py LOCK [--test-tools]
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# What the tests need from the system: a program that shows it is there → Debian's package.
SYSTEM_TOOLS = {
    "chromium": ("chromium", "fonts-noto-cjk"),
    "postgresql": ("postgresql",),
}


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("Sutian needs Python 3.11 or newer.")
    lock = Path(sys.argv[1])
    _python_packages(lock)
    if "--test-tools" in sys.argv:
        _system_tools()
    subprocess.run([PYTHON, "-m", "shop.assets"], check=True, cwd=ROOT)


def _python_packages(lock: Path) -> None:
    """The environment holds exactly what the lock names; hashes are checked."""
    wanted = hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()
    mark = VENV / f"{lock.stem}.sha256"
    if mark.exists() and mark.read_text() == wanted and PYTHON.exists():
        return
    print(f"Installing what {lock} names …", flush=True)
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    uv = subprocess.run([PYTHON, "-m", "pip", "install", *quiet, "uv==0.13.9"], check=False)
    done = 1
    if uv.returncode == 0:
        command = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
        done = subprocess.run(
            [*command, "--python", PYTHON, "-r", lock], check=False, cwd=ROOT
        ).returncode
    if done != 0:
        command = [PYTHON, "-m", "pip", "install", *quiet, "--require-hashes", "-r", lock]
        subprocess.run(command, check=True, cwd=ROOT)
    mark.write_text(wanted)


def _system_tools() -> None:
    """Install Chromium and PostgreSQL where we may; where we may not, say what is missing."""
    missing = [name for name in SYSTEM_TOOLS if not _present(name)]
    if not missing:
        return
    packages = [package for name in missing for package in SYSTEM_TOOLS[name]]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"Missing: {', '.join(missing)}. Install with: sudo apt-get install "
            f"{' '.join(packages)}. Tests that need them are skipped, and counted as skipped.",
            file=sys.stderr,
        )
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def _present(name: str) -> bool:
    if name == "postgresql":
        return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return shutil.which(name) is not None


if __name__ == "__main__":
    main()

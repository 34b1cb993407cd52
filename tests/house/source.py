"""What the house rules look at: the project's own files, as git knows them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    "catalog/households", "catalog/suppliers", "catalog/products", "catalog/lots",
    "orders/ledger", "orders/shares", "orders/sales", "orders/payments", "orders/agencies",
    "orders/tracing", "orders/payouts",
)  # fmt: skip


@cache
def files(*endings: str) -> list[Path]:
    """Tracked and new files with these endings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    paths = (ROOT / line for line in sorted(set(listed)))
    return [path for path in paths if path.suffix in endings and path.exists()]


def modules(*folders: str) -> list[Path]:
    """Python files of the product itself, or only those below `folders`."""
    wanted = folders or ("kernel", "catalog", "orders", "shop")
    return [p for p in files(".py") if str(p.relative_to(ROOT)).startswith(wanted)]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))

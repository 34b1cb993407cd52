"""`make bench`: builds a large town, lets visitors at it, prints a table and keeps the figures in
`bench/results.json`. Ends with 1 when something that bench.md asks for is not reached.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import town, workloads
from bench.figures import ASKED, ASKED_OF_SQLITE, HEAD, MOST_MEMORY, Figure, figure
from bench.floors import raw_orders
from bench.load import Run, Step, drive
from bench.serving import ROOT, Web, payments, web
from catalog.products.models import Pack, Product, Shelf
from config import Config
from kernel import crypto
from kernel.db import Database
from orders.sales.models import Order, OrderLine, OrderState
from shop.schema import upgrade
from tests import postgres

FEW = 50
CONNECTIONS = 8
# Purchases in a second that are prepared for; more than any machine of today makes.
MOST_RATE = 240


def main() -> None:
    options = argparse.ArgumentParser(prog="bench", description=__doc__)
    options.add_argument("--on", choices=["postgresql", "sqlite"], default="postgresql")
    options.add_argument("--products", type=int, default=2_000)
    options.add_argument("--orders", type=int, default=4_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=4.0)
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="sutian_bench_") as name,
        _database(given.on, Path(name)) as url,
    ):
        kept = _measure(given, url, Path(name))
    results = ROOT / "bench" / "results.json"
    results.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    sys.exit(1 if kept["short"] else 0)


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    binaries = postgres.binaries()
    if binaries is None:
        sys.exit("PostgreSQL is missing: install it with `apt-get install postgresql`")
    with postgres.running(binaries, durable=True) as url:
        yield url


def _measure(given: argparse.Namespace, url: str, folder: Path) -> dict[str, object]:
    environment = {
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "SUTIAN_REQUESTS_PER_MINUTE": "0",
    }
    os.environ.update(environment)
    config = Config.from_env()
    crypto.use_key(config.field_key)
    environment |= {
        "STRIPE_API_KEY": config.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": config.stripe_webhook_secret,
    }
    database = Database(url)
    upgrade(database)
    size = town.Size(given.products, given.orders)
    town.build(database, size, now=datetime.now(UTC), say=_say)
    _settle(database)
    with (
        web("bench.served:hello()", environment) as bare,
        payments(environment) as provider,
        web("bench.served:measured()", {**environment, "STRIPE_API_BASE": provider}) as ours,
    ):
        figures = _rounds(given, database, ours, bare)
        memory = ours.memory()
        rush, left = _rush(database, ours)
    figures.insert(1, figure("floor: raw SQL order", [raw_orders(url, seconds=given.seconds)]))
    figures.append(Figure("W4b attempts", rush.rate, rush.rate, rush.rate, rush.p95, rush.p99))
    database.dispose()
    return _tell(given, figures, memory, rush, left)


def _settle(database: Database) -> None:
    """What a database that has lived for some days knows of its tables."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as raw:
        raw.exec_driver_sql(
            "VACUUM ANALYZE" if database.engine.dialect.name == "postgresql" else "ANALYZE"
        )


def _rounds(given: argparse.Namespace, database: Database, ours: Web, bare: Web) -> list[Figure]:
    """Every target in turn, over and over: what the machine does besides meets them all alike."""
    with database.reading() as session:
        packs = session.scalars(
            sa.select(Pack.id).where(Pack.shelf == Shelf.CITIZENS).order_by(Pack.id)
        ).all()
        slugs = session.scalars(sa.select(Product.slug).order_by(Product.id)).all()
    targets: dict[str, tuple[Web, Step]] = {
        "floor: bare Flask": (bare, workloads.hello),
        "W1 list": (ours, workloads.lists(given.products)),
        "W2 product": (ours, workloads.product_pages(slugs)),
        "W3 search": (ours, workloads.searches(given.products)),
        "W4a purchase": (ours, workloads.Purchases(packs)),
    }
    runs: dict[str, list[Run]] = {name: [] for name in targets}
    worked: dict[str, list[float]] = {name: [] for name in targets}
    for server, step in targets.values():
        if isinstance(step, workloads.Purchases):
            step.invite(server.port, CONNECTIONS, MOST_RATE // CONNECTIONS)
        drive(server.port, step, connections=CONNECTIONS, seconds=1.0)
    for number in range(given.rounds):
        _say(f"round {number + 1} of {given.rounds}")
        for name, (server, step) in targets.items():
            if isinstance(step, workloads.Purchases):
                step.invite(server.port, CONNECTIONS, int(MOST_RATE * given.seconds) // CONNECTIONS)
            before = server.cpu()
            runs[name].append(
                drive(server.port, step, connections=CONNECTIONS, seconds=given.seconds)
            )
            worked[name].append(server.cpu() - before)
    return [figure(name, runs[name], worked[name]) for name in targets]


def _rush(database: Database, ours: Web) -> tuple[workloads.Rush, int]:
    """The rush itself, and how many packs of the product stand in orders after it."""
    pack = town.scarce(database, units=FEW, now=datetime.now(UTC))
    _say(f"500 attempts of 32 buyers on {FEW} packs")
    rush = workloads.rush(ours.port, pack)
    with database.reading() as session:
        in_orders = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(OrderLine.count), 0))
            .join(Order, Order.id == OrderLine.order_id)
            .where(OrderLine.pack_id == pack, Order.state != OrderState.CANCELLED)
        )
    return rush, int(in_orders or 0)


def _tell(
    given: argparse.Namespace,
    figures: list[Figure],
    memory: int,
    rush: workloads.Rush,
    in_orders: int,
) -> dict[str, object]:
    asked = ASKED_OF_SQLITE if given.on == "sqlite" else ASKED
    short = [
        why for each in figures if each.name in asked for why in each.short_of(asked[each.name])
    ]
    if memory > MOST_MEMORY:
        short.append(f"memory: {memory} MB instead of {MOST_MEMORY}")
    if (rush.sold, rush.failed, in_orders) != (FEW, 0, FEW):
        short.append(f"W4b: {rush.sold} sold, {in_orders} in orders, {rush.failed} failed")
    print(f"\n{given.on}, {given.products} products, {given.orders} past orders, 8 connections\n")
    print(HEAD)
    for each in figures:
        print(each.line(asked.get(each.name)))
    print(f"\nW4b: {rush.sold} of {FEW} sold, {rush.refused} refused, {rush.failed} failed")
    print(f"     the others read: {rush.sentence}")
    print(f"memory of the web processes: {memory} MB")
    print("\nNot reached:\n  " + "\n  ".join(short) if short else "\nEverything asked is reached.")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "database": given.on,
        "products": given.products,
        "orders": given.orders,
        "rounds": given.rounds,
        "figures": [asdict(each) for each in figures],
        "rush": asdict(rush),
        "memory_mb": memory,
        "short": short,
    }


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()

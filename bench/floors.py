"""The floor under every purchase: the same number of rows, written by hand in plain SQL."""

from __future__ import annotations

import random
import threading
import time

import sqlalchemy as sa

from bench.load import Run

STOCK, THREADS = 2_000, 8
ORDER = (
    "UPDATE bench_stock SET left_over = left_over - 1 WHERE id = :id AND left_over >= 1",
    "INSERT INTO bench_order VALUES (:order, 2900)",
    "INSERT INTO bench_line VALUES (:order, :id, 1)",
)


def raw_orders(url: str, *, seconds: float) -> Run:
    """One product's stock lowered under its condition, an order and its line put in; committed."""
    engine = sa.create_engine(url, pool_size=THREADS)
    lock, run = threading.Lock(), Run()
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE bench_stock (id INTEGER PRIMARY KEY, left_over INTEGER NOT NULL)",
            "CREATE TABLE bench_order (id VARCHAR(40) PRIMARY KEY, total INTEGER NOT NULL)",
            "CREATE TABLE bench_line (order_id VARCHAR(40), stock_id INTEGER, count INTEGER)",
        ):
            connection.exec_driver_sql(statement)
        connection.execute(
            sa.text("INSERT INTO bench_stock VALUES (:id, 1000000)"),
            [{"id": number} for number in range(STOCK)],
        )
    until = time.perf_counter() + seconds

    def go(number: int) -> None:
        chance, turn = random.Random(number), 0
        while time.perf_counter() < until:
            begin = time.perf_counter()
            given = {"id": chance.randrange(STOCK), "order": f"{number}-{turn}"}
            with engine.begin() as connection:
                for statement in ORDER:
                    connection.execute(sa.text(statement), given)
            with lock:
                run.latencies.append(time.perf_counter() - begin)
            turn += 1

    begin = time.perf_counter()
    # SQLite has one writer: more of them only wait for one another.
    threads = [
        threading.Thread(target=go, args=(n,))
        for n in range(1 if engine.dialect.name == "sqlite" else THREADS)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    run.seconds = time.perf_counter() - begin
    engine.dispose()
    return run

"""What is measured is a true town, and a purchase as it is measured leaves an order behind."""

import threading

import sqlalchemy as sa
from werkzeug.serving import make_server

from bench import town, workloads
from bench.load import Browser
from catalog.products.models import Pack, Shelf
from orders.sales.models import Order, OrderState
from shop.selfcheck import run_all
from tests import makers


def test_a_purchase_of_the_bench_is_a_real_one(app, db):
    town.build(db, town.Size(products=3, orders=2), now=makers.NOON, say=lambda _: None)
    with db.reading() as session:
        packs = session.scalars(sa.select(Pack.id).where(Pack.shelf == Shelf.CITIZENS)).all()
        assert not [each for each in run_all(session) if each.differences]
    buy = workloads.Purchases(packs)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        buy.invite(server.server_port, 1, 1)
        buy(Browser(server.server_port), 0, 0)
    finally:
        server.shutdown()
        server.server_close()

    with db.reading() as session:
        states = session.scalars(sa.select(Order.state).order_by(Order.id)).all()
    assert states == [OrderState.TO_SHIP, OrderState.TO_SHIP, OrderState.AWAITING_PAYMENT]

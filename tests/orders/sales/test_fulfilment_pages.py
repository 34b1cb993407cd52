"""The store's pages and papers: found, ticked, printed, shipped together, put right."""

from __future__ import annotations

import io

import sqlalchemy as sa
from pypdf import PdfReader

from catalog.lots.models import Contribution, Lot
from catalog.lots.operations import open_store
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.people import Organisation
from orders.sales.models import (
    Allocation,
    AllocationChange,
    Carrier,
    FreightTemplate,
    Order,
    OrderLine,
    OrderState,
    Shipment,
)
from orders.sales.queries.packing import to_ship
from orders.sales.queries.picking import open_pieces, parcels, pick_list
from tests import makers
from tests.web import given, person


def arranged(db, *, orders=3, role=Role.MANAGER):
    with given(db) as session:
        radish = makers.sold_product(session, (400_000,))
        made = [
            makers.paid_order(session, radish, 1 + n, contact=makers.contact(recipient=name))
            for n, name in zip(range(orders), ("林女士", "王先生", "赵奶奶"), strict=False)
        ]
        supplier = session.get_one(Supplier, radish.supplier_id)
        body = session.get_one(Organisation, supplier.organisation_id)
        someone = makers.member(session, body, role, name="陶库管")
        return [order.id for order in made], someone, supplier.id


def words(answer) -> str:
    assert answer.mimetype == "application/pdf"
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)


def ticks(ids) -> str:
    return "&".join(f"order={each}" for each in ids)


def test_orders_are_found_by_pinyin_kind_and_day_and_late_ones_are_marked(app, db, clock):
    _, someone, _ = arranged(db)
    desk = person(app, someone).open("/coop/orders").sees("林女士", "王先生", "赵奶奶")
    desk.open("/coop/orders?q=wangxiansheng").sees("王先生").does_not_see("林女士")
    desk.open("/coop/orders?q=luobo").does_not_see("No order fits")
    desk.open("/coop/orders?q=kongxincai").sees("No order fits")
    desk.open("/coop/orders?kind=unit").sees("No order fits")
    desk.open("/coop/orders?due=late").sees("No order fits")
    clock.move(days=4)
    desk.open("/coop/orders?due=late").sees("2 days late", "Late 3")


def test_one_walk_many_orders_and_the_quantities_add_up(app, db):
    ids, someone, supplier = arranged(db)
    with db.reading() as session:
        pieces = open_pieces(session, supplier, ids)
        [product] = pick_list(pieces)
        assert product.quantity == 30_000
        assert sum(lot.quantity for lot in product.lots) == 30_000
        for lot in product.lots:
            assert sum(part for _, part in lot.orders) == lot.quantity
            assert lot.store == ""
        assert sum(each.grams for each in parcels(pieces)) == 30_000
    desk = person(app, someone)
    for paper in ("picking", "packing", "loading"):
        desk.open(f"/coop/papers/{paper}?{ticks(ids)}").sees(
            "30 kg" if paper != "packing" else "15 kg"
        )
    with given(db) as session:
        cellar = open_store(session, supplier, name="后山冷库", by=makers.SOMEBODY, now=makers.NOON)
        lot = session.scalar(sa.select(Lot).where(Lot.code == product.lots[0].code))
        lot.store_id = cellar.id
    desk.open(f"/coop/papers/picking?{ticks(ids)}").sees("后山冷库")
    desk.open("/coop/papers/picking", status=409).sees("Tick at least one order")


def test_papers_are_made_as_pdf_in_chinese_with_a_code_and_for_their_store_only(app, db):
    ids, someone, _ = arranged(db)
    _, stranger, _ = arranged(db)
    keeper, other = person(app, someone, lang="zh"), person(app, stranger, lang="zh")
    expected = {
        "picking": ("拣货单", "太空萝卜", "30 kg"),
        "packing": ("配货单", "赵奶奶", "龙山街道"),
        "loading": ("装车单", "王先生", "3 站"),
        "labels": ("寄件", "林女士", "13855501234"),
    }
    for paper, said in expected.items():
        address = f"/coop/papers/{paper}.pdf?{ticks(ids)}"
        answer = keeper.client.get(address)
        for each in said:
            assert each in words(answer), (paper, each)
        assert other.client.get(address).status_code == 404
    labels = PdfReader(io.BytesIO(keeper.client.get(f"/coop/papers/labels.pdf?{ticks(ids)}").data))
    assert len(labels.pages) == 1 + 2 + 3
    assert [round(float(each) * 25.4 / 72) for each in labels.pages[0].mediabox[2:]] == [100, 70]
    sheet = f"/coop/papers/labels.pdf?size=a4&copies=3&{ticks(ids)}"
    assert len(PdfReader(io.BytesIO(keeper.client.get(sheet).data)).pages) == 2


def test_ticked_orders_leave_together_once_and_one_that_cannot_holds_nobody(app, db):
    ids, someone, supplier = arranged(db)
    with given(db) as session:
        # The second order's lot is past its day.
        bad = makers.sold_product(session, of=session.get_one(Supplier, supplier))
        held = makers.paid_order(session, bad)
        lot = session.scalars(sa.select(Lot).where(Lot.product_id == bad.id)).one()
        lot.best_before = makers.TODAY - makers.days(1)
        held_id, held_number = held.id, held.number
    desk = person(app, someone).open(f"/coop/shipping?{ticks([*ids, held_id])}")
    desk.sees("4 orders leave", "35 kg")
    desk.press("Ship them all", **{"Driver": "冉师傅", "Number plate": "渝h 58a21"})
    desk.sees(
        "3 shipments have left", f"{held_number} stays", "was good until", "渝H58A21", "3 stops"
    )
    desk.again()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 3
        assert session.get_one(Order, held_id).state is OrderState.TO_SHIP
    desk.follow("Load list").sees("冉师傅", "30 kg gross")


def test_a_lot_is_replaced_on_its_page_and_a_shipment_called_back(app, db):
    [order_id], someone, _ = arranged(db, orders=1)
    with given(db) as session:
        product = session.scalars(sa.select(Lot)).one().product_id
        old = session.scalars(sa.select(Lot.id)).one()
        [fresh] = makers.stock(
            session, session.get_one(makers.Product, product), (50_000,),
            at=makers.NOON - makers.days(3),
        )  # fmt: skip
        new = fresh.lot_id
    assert new != old
    desk = person(app, someone).open(f"/coop/orders/{order_id}").follow("Take another lot")
    page = desk.path
    desk.press("Take the other lot", status=422, to_lot=str(new)).sees("Please fill this in")
    desk.open(page).press("Take the other lot", to_lot=str(new), Why="压伤")
    desk.sees("takes its goods from the other lot")
    with db.reading() as session:
        assert session.scalars(sa.select(AllocationChange.reason)).one() == "压伤"
    desk.press("Ship it", carrier="邮政", tracking="em 1")
    desk.press("Put it right", tracking="ＥＭ２").sees("EM2")
    desk.press("Call the shipment back", status=422).sees("Say why")
    desk.press("Call the shipment back", Why="车坏了").sees("called back", "To ship")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 5_000


def test_a_manager_sets_freight_after_looking_and_a_storekeeper_only_reads_it(app, db):
    _, boss, supplier = arranged(db, orders=1)
    desk = person(app, boss).open("/coop/freight").sees("delivery is in the price")
    row = {
        "region-0": "重庆市", "first_g-0": "３", "first_fee-0": "6", "step_g-0": "1",
        "step_fee-0": "1.5", "free_from-0": "99", "region-1": "其他地区", "unserved-1": "yes",
    }  # fmt: skip
    desk.press("Reckon first", **row).sees("¥6.00", "¥9.00", "not sent")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(FreightTemplate.id))) == 0
    desk.press("Let it hold", status=422, **{"region-0": "月球"}).sees("Write one province")
    desk.press("Let it hold", **row).sees("Version 1")
    with given(db) as session:
        body = session.get_one(Supplier, supplier).organisation_id
        keeper = makers.member(session, session.get_one(Organisation, body), Role.STOREKEEPER)
    person(app, keeper).open("/coop/freight").sees("¥6.00").does_not_see("Let it hold")
    desk.open("/coop/pack-weights").press("Save", status=422, **_pack(db, "4.9"))
    desk.sees("weighs at least what it holds").press("Save", **_pack(db, "5.6")).sees("Kept")


def _pack(db, weight) -> dict[str, str]:
    with db.reading() as session:
        key = session.scalar(sa.text("SELECT id FROM packs WHERE shelf = 'citizens' LIMIT 1"))
    return {f"pack-{key}": weight}


def test_carriers_are_kept_and_another_store_does_not_see_them(app, db):
    _, someone, _ = arranged(db, orders=1)
    _, stranger, _ = arranged(db, orders=1)
    desk = person(app, someone).open("/coop/carriers").sees("No carrier is on the list yet")
    desk.press("Save", status=422, name="快递", tracking_pattern="http://x").sees(
        "Begin with https"
    )
    desk.press("Save", name="快递", tracking_pattern="https://x.test/{number}").sees("快递")
    with db.reading() as session:
        key = session.scalars(sa.select(Carrier.id)).one()
    other = person(app, stranger).open("/coop/carriers").does_not_see("快递")
    other.open(f"/coop/carriers?edit={key}", status=404)


def test_the_lists_ask_a_fixed_number_of_questions(db, statements):
    with given(db) as session:
        radish = makers.sold_product(session, (10_000,))
        first = makers.paid_order(session, radish).id
    for many in (10, 200):
        with db.engine.begin() as connection:
            ids = [first, *(copied(connection, first, f"{many}-{n}") for n in range(1, many))]
        with db.reading() as session:
            statements.clear()
            assert len(to_ship(session, radish.supplier_id)) >= many
            assert len(parcels(open_pieces(session, radish.supplier_id, ids))) == many
            assert len([each for each in statements if not each.startswith("BEGIN")]) == 3


def copied(connection, order_id, mark) -> int:
    """The same order once more, for lists only: no rule of the house made it."""
    orders, lines, parts = Order.__table__, OrderLine.__table__, Allocation.__table__

    def copy(table, where, **new) -> int:
        row = dict(connection.execute(sa.select(table).where(where)).mappings().one())
        del row["id"]
        made = connection.execute(sa.insert(table).values({**row, **new}))
        return made.inserted_primary_key[0]

    line = connection.scalar(sa.select(lines.c.id).where(lines.c.order_id == order_id))
    fresh = copy(
        orders, orders.c.id == order_id, number=f"SC-{mark}", code=f"C{mark}", request_key=mark
    )
    fresh_line = copy(lines, lines.c.id == line, order_id=fresh)
    copy(parts, parts.c.line_id == line, line_id=fresh_line)
    return fresh

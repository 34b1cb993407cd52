"""Papers of the store, each as a page to print and as PDF: pick list, pack lists, load list,
labels, delivery note."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from catalog.lots.models import Lot
from kernel.actors import COOPERATIVE
from kernel.pdf import qr_svg
from kernel.quantities import kilograms
from kernel.text import plain_number
from kernel.web.access import requires
from kernel.web.drawing import named
from kernel.web.filters import day_short, quantity
from kernel.web.i18n import day, moment, say
from kernel.web.work import now, services, session, today
from orders.sales.models import BuyerKind, Order, OrderLine, Shipment
from orders.sales.queries.packing import destination_of, shipment_sheet
from orders.sales.queries.picking import (
    Parcel,
    PickProduct,
    Piece,
    loading_order,
    open_pieces,
    parcels,
    pick_list,
    shipped_pieces,
)
from orders.sales.views.frame import my_supplier, paper, something, ticked

bp = Blueprint("packing_papers", __name__, url_prefix="/coop/papers")

MOST_LABELS = 20


@bp.get("/picking")
@requires(*COOPERATIVE)
def picking() -> str:
    pieces = _pieces()
    return render_template(
        "coop/paper_picking.html", products=pick_list(pieces), orders=_orders(pieces), day=today()
    )


@bp.get("/picking.pdf")
@requires(*COOPERATIVE)
def picking_pdf() -> Response:
    pieces = _pieces()
    data = {
        "title": _("Pick list"),
        "under": _("%(orders)s orders, %(day)s", orders=len(_orders(pieces)), day=day(today())),
        "store": my_supplier().organisation.name,
        "heads": [
            _("Lot"),
            _("Store"),
            _("Best before"),
            _("Quantity"),
            _("Orders"),
            _("Taken"),
        ],
        "products": [_pick_values(each) for each in pick_list(pieces)],
    }
    return paper("picking", data, f"pick-{today():%Y%m%d}")


@bp.get("/packing")
@requires(*COOPERATIVE)
def packing() -> str:
    return render_template("coop/paper_packing.html", parcels=parcels(_pieces()), day=today())


@bp.get("/packing.pdf")
@requires(*COOPERATIVE)
def packing_pdf() -> Response:
    found = parcels(_pieces())
    data = {
        "title": _("Pack list"),
        "store": my_supplier().organisation.name,
        "heads": [_("Goods"), _("Lot"), _("Quantity"), _("Packed")],
        "words": {"to": _("Deliver to"), "note": _("Note"), "due": _("Promised for")},
        "parcels": [_parcel_values(each) for each in found],
    }
    return paper("packing", data, f"pack-{today():%Y%m%d}")


@bp.get("/loading")
@requires(*COOPERATIVE)
def loading() -> str:
    found = loading_order(parcels(_pieces()))
    return render_template(
        "coop/paper_loading.html",
        parcels=found,
        day=today(),
        grams=sum(each.grams for each in found),
        tour=request.args.get("tour", "")[:80],
    )


@bp.get("/loading.pdf")
@requires(*COOPERATIVE)
def loading_pdf() -> Response:
    found = loading_order(parcels(_pieces()))
    data = {
        "title": _("Load list"),
        "under": " · ".join(filter(None, (request.args.get("tour", "")[:80], day(today())))),
        "store": my_supplier().organisation.name,
        "heads": [_("Stop"), _("Deliver to"), _("Goods"), _("Weight"), _("Loaded")],
        "sum": _("%(stops)s stops, %(kg)s kg gross", stops=len(found),
                 kg=kilograms(sum(each.grams for each in found), 0)),
        "parcels": [_parcel_values(each) for each in found],
    }  # fmt: skip
    return paper("loading", data, f"load-{today():%Y%m%d}")


@bp.get("/labels.pdf")
@requires(*COOPERATIVE)
def labels() -> Response:
    """Address labels: 100 × 70 mm for a label printer, or eight on an A4 sheet."""
    supplier = my_supplier()
    typed = plain_number(request.args.get("copies", ""))
    copies = min(MOST_LABELS, max(0, int(typed))) if typed.isdecimal() else 0
    found = [
        {
            "from": supplier.organisation.name,
            "from_phone": supplier.phone,
            "to": each.buyer,
            "person": each.to.recipient,
            "phone": each.to.phone,
            "address": each.to.address,
            "number": each.order.number,
            "part": f"{part}/{count}" if count > 1 else "",
            "note": each.note,
            "gift": _gift_words(each.order),
            "qr": qr_svg(_inside(f"/coop/orders/{each.order.id}")),
        }
        for each in parcels(_pieces())
        for count in [copies or _boxes(each)]
        for part in range(1, count + 1)
    ]
    data = {
        "title": _("Address labels"),
        "sheet": request.args.get("size") == "a4",
        "words": {"from": _("Sender"), "order": _("Order")},
        "labels": found,
    }
    return paper("address_labels", data, f"labels-{today():%Y%m%d}")


@bp.get("/note/<int:shipment_id>.pdf")
@requires(*COOPERATIVE)
def note(shipment_id: int) -> Response:
    """The delivery note that travels with the goods; a canteen scans it at the ramp."""
    supplier = my_supplier()
    shipment = shipment_sheet(session(), shipment_id, supplier_id=supplier.id)
    order, to = shipment.order, destination_of(shipment)
    for_unit = order.buyer_kind is BuyerKind.UNIT
    data = {
        "title": _("Delivery note"),
        "number": shipment.number,
        "called_back": _("called back") if shipment.cancelled_at else "",
        "facts": [
            [_("Sent by"), f"{supplier.organisation.name} {supplier.phone}"],
            [_("Deliver to"), order.organisation.name if order.organisation else to.recipient],
            [_("Address"), f"{to.address} {to.phone}"],
            *([[_("A present"), _gift_words(order)]] if order.gift_from else []),
            [_("Order"), order.number],
            [_("Left on"), moment(shipment.shipped_at)],
            [_("Carrier"), _carrier_words(shipment)],
        ],
        "heads": [_("Goods"), _("Lot"), _("Best before"), _("Certificate"), _("Quantity")],
        "lines": [
            [
                f"{named(line)} {say(line.grade)}",
                lot.code,
                lot.best_before.isoformat(),
                lot.certificate_no or "—",
                quantity(amount, line.product.base_unit),
            ]
            for line, lot, amount in _note_lines(shipment)
        ],
        "rest": _rest_words(shipment),
        "qr": qr_svg(_inside(f"/canteen/deliveries/{shipment.number}")) if for_unit else "",
        "scan": _("Scan at the ramp to accept this delivery."),
        "signs": [_("Handed over by"), _("Received by"), _("Received by, second person")],
        "printed": moment(now()),
    }
    return paper("delivery_note", data, shipment.number)


def _note_lines(shipment: Shipment) -> list[tuple[OrderLine, Lot, int]]:
    """Line and lot, each pair once: whose part of the lot it is does not stand on the note."""
    found: dict[tuple[int, int], tuple[OrderLine, Lot, int]] = {}
    for each in shipment.lines:
        line, lot = each.allocation.line, each.allocation.lot
        before = found.get((line.id, lot.id), (line, lot, 0))[2]
        found[line.id, lot.id] = (line, lot, before + each.quantity)
    return list(found.values())


def _pieces() -> list[Piece]:
    """What the address names: open parts of orders, or what went with shipments."""
    supplier = my_supplier()
    if "shipment" in request.args:
        return something(shipped_pieces(session(), supplier.id, ticked("shipment")))
    return something(open_pieces(session(), supplier.id, ticked("order")))


def _orders(pieces: list[Piece]) -> list[str]:
    return sorted({each.order.number for each in pieces})


def _boxes(parcel: Parcel) -> int:
    """One label for each citizen's pack, at most so many; one for a canteen's delivery."""
    return min(MOST_LABELS, max(1, parcel.packs))


def _inside(path: str) -> str:
    return services().config.public_url.rstrip("/") + path


def _carrier_words(shipment: Shipment) -> str:
    words = (shipment.carrier, shipment.tracking, shipment.plate, shipment.driver)
    return " ".join(filter(None, words)) or "—"


def _rest_words(shipment: Shipment) -> str:
    """What of the lines in this shipment is still to come; the allocations say it."""
    return (
        _("What is missing here follows.") if shipment.order.state.value == "partly_shipped" else ""
    )


def _pick_values(product: PickProduct) -> dict[str, object]:
    return {
        "name": f"{named(product)} {say(product.grade)}",
        "sum": quantity(product.quantity, product.unit),
        "lots": [
            {
                "code": lot.code,
                "store": lot.store or _("Main store"),
                "until": day_short(lot.best_before),
                "held": "" if lot.state.value == "open" else say(lot.state),
                "quantity": quantity(lot.quantity, product.unit),
                "orders": [
                    f"{number} {quantity(part, product.unit)}" for number, part in lot.orders
                ],
            }
            for lot in product.lots
        ],
    }


def _parcel_values(parcel: Parcel) -> dict[str, object]:
    order = parcel.order
    return {
        "number": parcel.shipment or order.number,
        "order": order.number,
        "buyer": parcel.buyer,
        "person": parcel.to.recipient,
        "phone": parcel.to.phone,
        "address": parcel.to.address,
        "note": " ".join(filter(None, (parcel.note, _gift_words(order)))),
        "due": due_words(order),
        "weight": f"{kilograms(parcel.grams, 0)} kg",
        "qr": qr_svg(_inside(f"/coop/orders/{order.id}")),
        "lines": [
            {
                "name": f"{named(each.line)} {say(each.line.grade)}",
                "pack": " ".join(
                    filter(None, (_pack_words(each.line, each.packs), each.line.note))
                ),
                "quantity": quantity(each.quantity, each.unit),
                "lots": [f"{code} {quantity(part, each.unit)}" for code, part in each.lots],
            }
            for each in parcel.lines
        ],
    }


def _gift_words(order: Order) -> str:
    """The greeting with its sender, as it goes onto the paper in the box; no price stands there."""
    if not order.gift_from:
        return ""
    sender = _("A present from %(sender)s", sender=order.gift_from)
    return " ".join(filter(None, (order.gift_words, sender)))


def due_words(order: Order) -> str:
    """The promised day, with its half if one was chosen."""
    if order.deliver_on is None:
        return ""
    return " ".join(filter(None, (day(order.deliver_on), order.day_part and say(order.day_part))))


def _pack_words(line: object, packs: int) -> str:
    citizens = getattr(line, "pack_price", None) is not None
    return f"{named(line, 'pack')} × {packs}" if citizens else named(line, "pack")

"""Where an order's money went, as its buyer reads it and as the buyer may pass it on.

The page that is passed on knows the order by the receipt's own address: nothing of the buyer, not
even the order's number, is on it, and it is gone when the buyer takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request

from catalog.households.rules import shown_count, shown_total
from kernel.money import ZERO, Money, Price, total
from kernel.web.access import public
from kernel.web.work import services, session
from orders.sales.models import Order, OrderLine
from orders.sales.queries import growers_of, households_by_village, order_sheet
from orders.shares.models import HOUSEHOLD_PARTS, PartKind
from orders.shares.queries import (
    Going,
    Shares,
    of_order,
    order_paid,
    parts_of_order,
    shown_receipt,
    shown_receipt_of,
)
from orders.shares.rules.paying import PaidState

bp = Blueprint("receipts", __name__)


@dataclass(frozen=True, slots=True)
class LineWent:
    """Where the money of one line went, as the public may know it."""

    line: OrderLine
    villages: list[tuple[str, str]]
    to_households_bp: int | None
    per_unit: Price


@dataclass(frozen=True, slots=True)
class Receipt:
    """One order's money. `address` is where the buyer shows it, while it is shown."""

    going: Going
    lines: list[LineWent]
    shares: Shares
    villages: int
    households: str
    address: str | None

    @property
    def paid(self) -> Money:
        """Of the households' part, what has wholly reached them."""
        return total(each.amount for each in self.shares.values() if each.state is PaidState.PAID)

    @property
    def waiting(self) -> Money:
        return total(each.amount for each in self.shares.values()) - self.paid

    @property
    def others(self) -> list[tuple[PartKind, Money]]:
        """What did not go to households, the largest first. Goods of the cooperative's own fields
        cost it what they cost."""
        sums: dict[PartKind, Money] = {}
        for kind, amount in self.going.parts.items():
            whose = PartKind.COOPERATIVE if kind in HOUSEHOLD_PARTS else kind
            mine = self.shares[kind].amount if kind in self.shares else ZERO
            sums[whose] = sums.get(whose, ZERO) + amount - mine
        found = [(kind, amount) for kind, amount in sums.items() if amount]
        return sorted(found, key=lambda each: -each[1].fen)


def receipt_of(order: Order) -> Receipt:
    """The receipt of an order that was opened with all its lines. Eight queries and what it takes
    to walk back to the fields, whatever the number of lines."""
    key = f"order:{order.id}"
    going = of_order(session(), key)
    villages: dict[int, list[tuple[str, str]]] = {}
    for each in growers_of(session(), order.id):
        shown = (each.village, shown_count(each.households))
        villages.setdefault(each.line_id, []).append(shown)
    counts = households_by_village(session(), order.id)
    parts = _to_households_bp(order) if going.total else {}
    shown_at = shown_receipt_of(session(), key)
    return Receipt(
        going,
        [
            LineWent(
                line,
                villages.get(line.id, []),
                parts.get(line.id),
                Price.from_total(line.amount, line.quantity, line.product.base_unit),
            )
            for line in order.lines
        ],
        order_paid(session(), key) if going.total else {},
        len(counts),
        shown_total(counts),
        f"{services().config.public_url}/receipts/{shown_at.code}" if shown_at else None,
    )


def _to_households_bp(order: Order) -> dict[int, int]:
    """Line → basis points of what was settled that reached households."""
    sums: dict[str, list[int]] = {}
    for part in parts_of_order(session(), f"order:{order.id}"):
        whole = sums.setdefault(part.line, [0, 0])
        whole[0] += part.amount.fen
        if part.kind in HOUSEHOLD_PARTS and part.household_id is not None:
            whole[1] += part.amount.fen
    return {
        line.id: sums[f"line:{line.id}"][1] * 10_000 // sums[f"line:{line.id}"][0]
        for line in order.lines
        if sums.get(f"line:{line.id}", [0, 0])[0] > 0
    }


@bp.get("/receipts/<code>")
@public
def show(code: str) -> Response:
    """For whoever was sent the address. Search engines are asked to leave it alone."""
    found = shown_receipt(session(), code.strip().upper())
    order = order_sheet(session(), int(found.order.removeprefix("order:")))
    answer = Response(
        render_template(
            "shop/receipt.html",
            address=f"{services().config.public_url}{request.path}",
            order=order,
            receipt=receipt_of(order),
        )
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer

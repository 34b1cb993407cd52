"""Ordering: the grid, drafts, one order's page, approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from catalog.lots.queries import packs_for_canteens
from catalog.lots.queries.harvests import coming_sums
from catalog.products.models import Pack, Product
from catalog.products.queries import Pricing
from catalog.products.rules.pricing import Buyer, Quote
from kernel.actors import CANTEEN, Role
from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money, Price, total
from kernel.quantities import BaseUnit, kilograms
from kernel.text import initials, pinyin
from kernel.web.access import actor, organisation_id, requires
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import OnShelf, read_grid, read_reason, rough_grid
from orders.agencies.models import BulkOrder, OrderDraft, Purpose, Stage
from orders.agencies.operations import GridLine
from orders.agencies.queries.acceptance import acceptances_of
from orders.agencies.queries.bulk import (
    bulk_sheet,
    credit_notes_of,
    invoice_of,
    movements_of_order,
    payments_of,
    people_of,
    rows,
)
from orders.agencies.queries.figures import Figures, unit_figures
from orders.agencies.queries.grid import (
    audiences_of,
    draft_of,
    drafts_of,
    last_order_lines,
    last_prices,
    village_names,
    villages_of_products,
)
from orders.agencies.queries.harvests import proposals_of
from orders.agencies.queries.scope import Scope
from orders.agencies.queries.units import policy_for
from orders.agencies.rules.rates import pace
from orders.agencies.rules.terms import days_late, days_left, due_on, late_interest
from orders.agencies.views.frame import desk_page, my_unit
from orders.sales.models import OrderState
from orders.sales.operations import OutOfStock

bp = Blueprint("canteen_orders", __name__, url_prefix="/canteen")

MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class GridRow:
    """One line of the grid as it is shown."""

    pack: Pack
    product: Product
    villages: str
    free: int
    typed: str
    quantity: int
    base: Price
    quote: Quote
    last_price: Price | None
    error: Text | None
    # Base units of coming harvests that may be promised, and the first day of the earliest.
    coming: int = 0
    coming_from: date | None = None

    @property
    def words(self) -> str:
        """What finds this line: names, pinyin, initials, code."""
        name = self.product.name_zh
        return " ".join(
            (name, self.product.name_en, pinyin(name), initials(name), self.product.code)
        ).lower()

    @property
    def over(self) -> int:
        """How much more is asked for than is there."""
        return max(0, self.quantity - self.free - self.coming)

    @property
    def taken(self) -> int:
        """Percent of what is there that this line would take."""
        return 0 if not self.quantity else min(100, self.quantity * 100 // max(self.free, 1))

    @property
    def cheaper(self) -> int:
        """Hundredths of a fen that the price fell since the unit last ordered it; negative rose."""
        return 0 if self.last_price is None else self.last_price.per_unit - self.price.per_unit

    @property
    def price(self) -> Price:
        """Per kg or piece, at the quantity that was typed."""
        return self.quote.unit_price

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def ladder(self) -> str:
        """The whole price for the script that sums while one types: `0:60000 100000:55000`."""
        rungs = [(0, self.base.per_unit), *self.quote.steps]
        return " ".join(f"{least}:{value}" for least, value in rungs)


@bp.get("/orders")
@requires(*CANTEEN)
def index() -> str:
    stage = next((each for each in Stage if each.value == request.args.get("stage")), None)
    page = max(1, request.args.get("page", default=1, type=int))
    found = rows(
        session(),
        organisation_id=organisation_id(),
        stages=None if stage is None else (stage,),
        limit=MOST_ROWS + 1,
        offset=(page - 1) * MOST_ROWS,
    )
    return desk_page(
        "canteen/orders.html",
        rows=found[:MOST_ROWS],
        more=len(found) > MOST_ROWS,
        page=page,
        stage=stage,
        stages=Stage,
        drafts=drafts_of(session(), my_unit().id),
    )


@bp.get("/orders/new")
@requires(Role.BUYER, Role.UNION)
def new() -> str:
    """The grid: a draft, last time's order as a template, or empty."""
    draft_id = request.args.get("draft", type=int)
    draft = draft_of(session(), draft_id, unit_id=my_unit().id) if draft_id else None
    quantities: dict[int, int] = {}
    if draft is not None:
        quantities = {int(key): int(value) for key, value in draft.lines.items()}
    elif request.args.get("like") == "last":
        quantities = last_order_lines(session(), organisation_id())
    return _grid(quantities, draft)


@bp.post("/orders/new")
@requires(Role.BUYER, Role.UNION)
@once
def place() -> Response | tuple[str, int]:
    """Kept as a draft, or submitted for approval: all of it or none."""
    unit = my_unit()
    draft_id = request.form.get("draft", type=int)
    shelf = packs_for_canteens(session(), today=today())
    submit = request.form.get("do") == "submit"
    try:
        grid = read_grid(request.form, shelf, today=today())
        if submit and not grid.quantities:
            raise Invalid({"grid": Text("Enter how much you need of at least one line.")})  # noqa: TRY301
        with transaction() as work:
            draft = operations.save_draft(
                work,
                unit.id,
                draft_id=draft_id,
                title=grid.title or _default_title(),
                deliver_on=grid.deliver_on,
                lines=grid.quantities,
                by=actor(),
                now=now(),
            )
            placed = (
                operations.submit_order(
                    work,
                    unit.id,
                    lines=[
                        GridLine(pack_id=pack_id, quantity=quantity)
                        for pack_id, quantity in grid.quantities.items()
                    ],
                    deliver_on=grid.deliver_on,
                    purpose=grid.purpose,
                    payment_days=grid.payment_days,
                    request_key=f"draft:{draft.id}",
                    draft_id=draft.id,
                    by=actor(),
                    now=now(),
                )
                if submit
                else []
            )
            draft_key = draft.id
    except Invalid as invalid:
        return _grid(rough_grid(request.form, shelf), errors=invalid.errors), invalid.status
    except OutOfStock as short:
        return _grid(rough_grid(request.form, shelf), errors=_short(short, shelf)), short.status
    if not submit:
        flash(_("The draft is kept. Nothing is ordered or reserved yet."), "done")
        return redirect(url_for("canteen_orders.new", draft=draft_key), code=303)  # type: ignore[return-value]
    flash(
        ngettext(
            "%(num)d order waits for approval by a second person.",
            "%(num)d orders, one for each supplier, wait for approval by a second person.",
            len(placed),
        ),
        "done",
    )
    return redirect(url_for("canteen_orders.index"), code=303)  # type: ignore[return-value]


@bp.post("/orders/pace")
@requires(Role.BUYER, Role.UNION)
def pace_aside() -> str:
    """What the year looks like after this order: computed here, shown while one types."""
    shelf = packs_for_canteens(session(), today=today())
    found = _rows(rough_grid(request.form, shelf), {})
    return render_template("canteen/_pace.html", **_pace(found))


@bp.get("/orders/<number>")
@requires(*CANTEEN)
def show(number: str) -> str:
    return order_page(number)


def order_page(number: str, errors: dict[str, Text] | None = None) -> str:
    """The unit's page of one order."""
    bulk = bulk_sheet(session(), number, organisation_id=organisation_id())
    acts = actor().role in (Role.BUYER, Role.APPROVER, Role.UNION)
    return desk_page(
        "canteen/order.html",
        **order_values(bulk),
        may_take_off=acts,
        may_propose=acts,
        lines_at="canteen_lines",
        form=request.form if errors else {},
        errors=errors or {},
    )


def order_values(bulk: BulkOrder) -> dict[str, object]:
    """What the page of one order shows, on either side of the contract."""
    order = bulk.order
    accepted = acceptances_of(session(), order.id)
    payments = payments_of(session(), order.id)
    credited = credit_notes_of(session(), order.id)
    taken = total(each.amount for each in accepted)
    paid = total(each.amount for each in payments)
    codes = [
        slice_.household.region_code
        for line in order.lines
        for slice_ in line.allocations
        if slice_.household is not None
    ]
    return {
        "bulk": bulk,
        "order": order,
        "acceptances": accepted,
        "invoice": invoice_of(session(), order.id),
        "payments": payments,
        "credits": credited,
        "still_open": {
            line.id: left for line in order.lines if (left := sum(a.open for a in line.allocations))
        },
        "proposals": proposals_of(session(), order.id),
        "movements": movements_of_order(session(), order.id),
        "accepted": taken,
        "paid": paid,
        "outstanding": taken - paid,
        "days_left": days_left(bulk.due_on, today()) if bulk.due_on else None,
        "late": days_late(bulk.due_on, today()) if bulk.due_on and not bulk.paid_on else 0,
        "interest": late_interest(taken - paid, days_late(bulk.due_on, today()))
        if bulk.due_on and not bulk.paid_on
        else ZERO,
        "people": people_of(
            session(),
            [bulk.made_by_id, bulk.approved_by_id, bulk.signed_by_id]
            + [event.made_by_id for event in order.events],
        ),
        "villages": village_names(session(), codes),
        "Stage": Stage,
        "states": {each.value: each for each in OrderState},
        "spoken": _spoken,
    }


def _spoken(reason: str) -> str:
    """A reason as somebody wrote it; those of the program in the reader's language."""
    words: str = say(Text(reason))
    return words


@bp.post("/orders/<number>/cancel")
@requires(Role.BUYER, Role.APPROVER)
@once
def cancel(number: str) -> Response:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    reason = read_reason(request.form)
    with transaction() as work:
        operations.cancel_order(work, order_id, reason=reason, by=actor(), now=now())
    flash(_("The order is cancelled; its goods are free again."), "done")
    return redirect(url_for("canteen_orders.show", number=number), code=303)  # type: ignore[return-value]


@bp.get("/approvals")
@requires(*CANTEEN)
def approvals() -> str:
    found = rows(session(), organisation_id=organisation_id(), stages=(Stage.PENDING_APPROVAL,))
    policy = policy_for(session(), my_unit().organisation.region_code, today().year)
    return desk_page(
        "canteen/approvals.html", rows=list(reversed(found)), policy=policy, by=actor()
    )


@bp.post("/orders/<number>/approve")
@requires(Role.APPROVER)
@once
def approve(number: str) -> Response:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    with transaction() as work:
        operations.approve_order(work, order_id, by=actor(), now=now())
    flash(_("Approved. The supplier signs next."), "done")
    return redirect(url_for("canteen_orders.approvals"), code=303)  # type: ignore[return-value]


@bp.post("/orders/<number>/reject")
@requires(Role.APPROVER)
@once
def reject(number: str) -> Response:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    reason = read_reason(request.form)
    with transaction() as work:
        operations.reject_order(work, order_id, reason=reason, by=actor(), now=now())
    flash(_("Rejected. The goods are free again, and the buyer can see why."), "done")
    return redirect(url_for("canteen_orders.approvals"), code=303)  # type: ignore[return-value]


def _grid(
    quantities: Mapping[int, int],
    draft: OrderDraft | None = None,
    errors: Mapping[str, Text] | None = None,
) -> str:
    found = _rows(quantities, errors or {})
    return desk_page(
        "canteen/grid.html",
        rows=found,
        draft=draft,
        draft_id=draft.id if draft else request.form.get("draft", ""),
        title=draft.title if draft else _default_title(),
        deliver_on=draft.deliver_on if draft else None,
        purposes=Purpose,
        Price=Price,
        form=request.form,
        errors=dict(errors or {}),
        **_pace(found),
    )


def _rows(quantities: Mapping[int, int], errors: Mapping[str, Text]) -> list[GridRow]:
    """Every pack a canteen can order, with what is free of it now and what was typed."""
    shelf = packs_for_canteens(session(), today=today())
    buyer = Buyer(organisation_id(), audiences_of(my_unit()))
    pricing = Pricing.of(session(), [pack.id for _, pack, _ in shelf], buyer, today())
    prices = last_prices(session(), organisation_id())
    origins = villages_of_products(session(), [product.id for product, _, _ in shelf])
    names = village_names(session(), [code for codes in origins.values() for code in codes])
    coming = coming_sums(session(), [product.id for product, _, _ in shelf], today=today())
    found = []
    for product, pack, free in shelf:
        quantity = quantities.get(pack.id, 0)
        name = f"q-{pack.id}"
        more, since = coming.get((product.id, pack.grade), (0, None))
        found.append(
            GridRow(
                pack=pack,
                product=product,
                villages="、".join(
                    names[code]
                    for code in origins.get((product.id, pack.grade.value), [])
                    if code in names
                ),
                free=free,
                typed=request.form.get(name, _typed(quantity, product.base_unit)),
                quantity=quantity,
                base=pricing.quote(pack, 0).unit_price,
                quote=pricing.quote(pack, quantity),
                last_price=Price(prices[pack.id]) if pack.id in prices else None,
                error=errors.get(name),
                coming=more,
                coming_from=since,
            )
        )
    return found


def _typed(quantity: int, unit: BaseUnit) -> str:
    if not quantity:
        return ""
    return kilograms(quantity, 0).replace(",", "") if unit is BaseUnit.GRAM else str(quantity)


def _pace(found: list[GridRow]) -> dict[str, object]:
    """The aside of the grid: where the year stands after this order."""
    day = today()
    unit = my_unit()
    chosen = [row for row in found if row.quantity]
    [row] = unit_figures(session(), Scope(unit_id=unit.id), year=day.year, as_of=day, today=day)
    figures: Figures = row.figures
    amount = total(each.amount for each in chosen)
    return {
        "chosen": len(chosen),
        "amount": amount,
        "figures": figures,
        "after": figures.ordered + amount,
        "calendar": pace(day, day.year),
        "year": day.year,
        "over": [each for each in chosen if each.over],
        "villages": sorted({name for each in chosen for name in each.villages.split("、") if name}),
        "suppliers": sorted({each.product.supplier.organisation.short_name for each in chosen}),
        "due_by": due_on(day),
    }


def _default_title() -> str:
    title: str = _("Order of %(day)s", day=f"{today():%m-%d}")
    return title


def _short(refused: OutOfStock, shelf: OnShelf) -> dict[str, Text]:
    """Every product that falls short, at each of its lines."""
    reasons: dict[str, Text] = {}
    for shortage, reason in zip(refused.shortages, refused.reasons, strict=True):
        for _product, pack, _free in shelf:
            if pack.product_id == shortage.product_id and request.form.get(f"q-{pack.id}"):
                reasons[f"q-{pack.id}"] = reason
    return reasons or {"grid": refused.sentence}

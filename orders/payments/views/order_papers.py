"""Papers for the buyer: the receipt as PDF, what is to stand on the invoice, the invoice itself."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, render_template, request
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel import audit
from kernel.errors import Invalid, Refusal, Text
from kernel.money import ZERO, Money, total
from kernel.storage import StoredFile
from kernel.web.access import actor, public
from kernel.web.drawing import named
from kernel.web.filters import label
from kernel.web.i18n import chosen_language, moment
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction
from orders.payments.forms.after import read_wish
from orders.payments.models import Payment, PaymentState
from orders.payments.models.invoices import InvoiceFile
from orders.payments.operations import ask_invoice
from orders.payments.queries import payments_of
from orders.payments.queries.after import refunds_of
from orders.payments.queries.invoices import (
    GIVEN,
    invoice_file,
    invoices_of,
    sellers_named,
    wish_of,
)
from orders.payments.rules.invoices import OFD
from orders.payments.views.opening import back_to, key_of, opened
from orders.sales.models import Order
from orders.sales.views.frame import paper

bp = Blueprint("order_papers", __name__)


@bp.get("/orders/<code>/receipt.pdf")
@public
def receipt(code: str) -> Answer:
    """What was bought, paid and paid back; no tax invoice, and it says so."""
    order = opened(code)
    payment = _paid(order)
    return paper("receipt", _values(order, payment), f"receipt-{order.number}")


@bp.get("/orders/<code>/invoice")
@public
def show_wish(code: str) -> str:
    order = opened(code)
    _paid(order)
    return _page(order, {}, {})


@bp.post("/orders/<code>/invoice")
@public
@once
def wish(code: str) -> Response | tuple[str, int]:
    order = opened(code)
    try:
        title, tax_number = read_wish(request.form)
    except Invalid as invalid:
        return _page(order, request.form, invalid.errors), invalid.status
    with transaction() as work:
        ask_invoice(work, order.id, title=title, tax_number=tax_number, by=actor(), now=now())
    flash(_("Noted. The cooperative issues it and you hear of it."), "done")
    return back_to(order)


@bp.get("/orders/<code>/invoices/<int:invoice_id>")
@public
def download(code: str, invoice_id: int) -> Answer:
    """The electronic invoice as the supplier filed it."""
    order = opened(code)
    return as_file(*invoice_file(session(), invoice_id, order_id=order.id))


def as_file(invoice: InvoiceFile, file: StoredFile) -> Answer:
    """Saved, never shown inside our pages: somebody else made it."""
    answer = Answer(services().storage.get(file.sha256), mimetype=file.media_type)
    ending = "ofd" if file.media_type == OFD else "pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{invoice.number}.{ending}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _paid(order: Order) -> Payment:
    found = [each for each in payments_of(session(), order.id) if each.state is PaymentState.PAID]
    if not found:
        raise Refusal("There is a receipt for what was paid.")
    return found[0]


def _values(order: Order, payment: Payment) -> dict[str, object]:
    lang = chosen_language()
    back = [each for each in refunds_of(session(), order.id) if each.state in GIVEN]
    kept = order.total - total(each.amount for each in back)
    sellers = sellers_named(session(), {line.supplier_id for line in order.lines})
    rows, head = audit.head(session())
    assert payment.paid_at is not None
    return {
        "title": _("Receipt"),
        "number": order.number,
        "facts": [
            [_("Placed"), moment(order.placed_at)],
            [_("Paid"), f"{moment(payment.paid_at)} {_way(payment)}"],
            [_("State"), label(order.state)],
            [_("Seller"), "；".join(sellers)],
        ],
        "heads": [_("Goods"), _("Pack"), _("Packs"), _("Amount")],
        "lines": [
            [named(line), named(line, "pack"), str(line.count), _yuan(line.amount)]
            for line in order.lines
        ],
        "sums": [
            [_("Delivery"), _yuan(order.freight)],
            *([[_("Discount"), _yuan(-order.discount)]] if order.discount else []),
            [_("Paid"), _yuan(order.total)],
            *(
                [f"{_('Refund')} {each.number} {label(each.kind)}", _yuan(-each.amount)]
                for each in back
            ),
        ],
        "kept": [_("You paid in the end"), _yuan(kept)],
        "note": _(
            "This paper proves what was bought and paid here. It is no tax invoice: that is issued "
            "by the seller; ask for it on the order's page."
        ),
        "proof": _("Books: %(rows)s entries, fingerprint %(head)s", rows=rows, head=head[:16]),
        "printed": _("Made %(moment)s", moment=moment(now())),
        "lang": lang,
    }


def _way(payment: Payment) -> str:
    ways = {
        "card": _("card"),
        "alipay": _("Alipay"),
        "wechat_pay": _("WeChat Pay"),
        "transfer": _("bank transfer"),
    }
    return str(ways.get(payment.method, ""))


def _yuan(amount: Money) -> str:
    return str(amount) if amount >= ZERO else f"−{-amount}"


def _page(order: Order, form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    known = wish_of(session(), order.id)
    return render_template(
        "shop/invoice.html",
        order=order,
        key=key_of(order),
        wish=known,
        locked=bool(invoices_of(session(), order.id)),
        form=form,
        errors=errors,
    )

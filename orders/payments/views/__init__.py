"""Checkout, the buyer's order page and what follows it, the desks for claims, returns and
invoices, and the provider's messages."""

from orders.payments.views import (
    asking,
    checkout,
    claims,
    deciding,
    group,
    invoicing,
    looking,
    order_papers,
    orders,
    receipts,
    returns,
    webhook,
)

blueprints = (
    checkout.bp, group.bp, orders.bp, asking.bp, receipts.bp, order_papers.bp, claims.bp,
    returns.bp, invoicing.bp, deciding.bp, looking.bp, webhook.bp,
)  # fmt: skip

"""Checkout, the buyer's order page, claims, and the provider's messages."""

from orders.payments.views import checkout, claims, looking, orders, receipts, webhook

blueprints = (checkout.bp, orders.bp, receipts.bp, claims.bp, looking.bp, webhook.bp)

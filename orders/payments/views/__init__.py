"""Checkout, the buyer's order page, claims, and the provider's messages."""

from orders.payments.views import checkout, claims, group, looking, orders, webhook

blueprints = (checkout.bp, group.bp, orders.bp, claims.bp, looking.bp, webhook.bp)

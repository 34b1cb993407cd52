"""Checkout, the buyer's order page, claims, and the provider's messages."""

from orders.payments.views import checkout, claims, orders, webhook

blueprints = (checkout.bp, orders.bp, claims.bp, webhook.bp)

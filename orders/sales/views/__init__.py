"""The basket, and the cooperative's packing bench."""

from orders.sales.views import cart, packing

blueprints = (cart.bp, packing.bp)

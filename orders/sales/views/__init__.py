"""The basket, and the cooperative's packing bench: orders, papers, shipments, carriage."""

from orders.sales.views import carriage, cart, packing, papers, reviews, shipments

blueprints = (cart.bp, packing.bp, papers.bp, shipments.bp, carriage.bp, reviews.bp)

"""The basket, and the cooperative's packing bench: orders, papers, shipments, carriage."""

from orders.sales.views import carriage, cart, packing, papers, points, reviews, shipments

blueprints = (
    cart.bp, packing.bp, papers.bp, shipments.bp, carriage.bp, points.bp, reviews.bp,
)  # fmt: skip

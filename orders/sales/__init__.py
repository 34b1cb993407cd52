"""Baskets, orders, allocation to lots, shipments and returns, common to every buyer."""

"""Choosing whose goods serve an order, moving an order's state, reading an address. Pure."""

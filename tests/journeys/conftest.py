"""The sandbox payment provider also stands beside those who walk the whole way."""

from tests.orders.payments.conftest import config, provider

__all__ = ["config", "provider"]

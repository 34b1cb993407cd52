"""Payout runs at the cooperative's desk, passbooks at the helper's and the household's."""

from orders.payouts.views.books import bp as books
from orders.payouts.views.reversals import bp as reversals
from orders.payouts.views.runs import bp as runs

blueprints = (runs, reversals, books)

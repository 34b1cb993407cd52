"""What lies in the store, who brought it, and the road it came."""

from catalog.lots.queries.stock import Candidate, available, candidates, lock_pools, sellable

__all__ = ["Candidate", "available", "candidates", "lock_pools", "sellable"]

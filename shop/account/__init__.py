"""A citizen's account: joining, orders, addresses, employer, and leaving with what is theirs."""

"""Who is owed what: benefit rules and the split of every line to the fen."""

"""What lies in the store: weighed in, kept in lots, moved, held, and traced to its field."""

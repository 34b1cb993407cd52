"""Excel in and out: one way for every kind of row, at every door, through the rooms' operations."""

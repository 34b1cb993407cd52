"""What the first page of a desk gathers from all rooms."""

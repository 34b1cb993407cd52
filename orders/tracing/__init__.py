"""From any code back to the fields and forward to the buyers; and recalls, which go the same way."""

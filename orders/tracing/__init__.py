"""From any code back to the fields and on to the buyers; and recalls, which go the same way."""

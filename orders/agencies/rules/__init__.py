"""What the rules of reserved shares say, without a database."""

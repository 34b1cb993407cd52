"""Accounts and immutable transfers; it does not know what they are for."""

"""The office desk: how far along the units are, from any figure down to its rows."""

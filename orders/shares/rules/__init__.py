"""How money is divided. Pure."""

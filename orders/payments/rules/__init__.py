"""How much may go back, which claims are open, what a statement's row says. Pure."""

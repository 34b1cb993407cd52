"""How money arrives and goes back: the payment provider, bank statements, refunds."""

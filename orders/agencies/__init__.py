"""Budget units: reserved share, bulk orders, acceptance, invoices, and what counts."""

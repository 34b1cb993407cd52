"""How what is owed reaches a household: payout runs, bank files, the passbook."""

"""The canteen's desk, the cooperative's contracts, the department's and district's decisions."""

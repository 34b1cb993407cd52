"""The canteen's desk, the cooperative's contracts, and the department's and district's decisions."""

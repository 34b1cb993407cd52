"""What pages and rules ask of units, filings, bulk orders and their figures."""

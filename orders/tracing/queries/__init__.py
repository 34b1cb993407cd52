"""Walking from goods to people and back, and what a recall reaches."""

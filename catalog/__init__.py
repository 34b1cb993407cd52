"""What is grown, by whom, and how much of it there is."""

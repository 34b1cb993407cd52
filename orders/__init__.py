"""What is bought, and whose money it becomes."""

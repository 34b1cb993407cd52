"""Money that goes back, by subject: asking, answering, granting, sending, goods that return."""

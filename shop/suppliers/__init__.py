"""What is decided of a supplier with several rooms in sight: goods, orders, money to households."""

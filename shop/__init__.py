"""The doors and the roof: puts the rooms together and shows what cuts across them."""

"""What citizens read: season, shelf, product, village, the road of a bag, public figures."""

"""The sample township: two years of its life, done through the same operations as real life."""

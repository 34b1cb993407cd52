"""What is for sale: products, packs, categories, prices and how they are found."""

"""What makes a product findable, which price holds, how a product comes on sale."""

from catalog.products.rules.finding import (
    BORDER,
    fts5_query,
    in_season,
    parts_of,
    phrases,
    search_text,
    tsquery,
    village_words,
)
from catalog.products.rules.pricing import CITIZEN, Buyer, Listed, Quote, price_of

__all__ = [
    "BORDER",
    "CITIZEN",
    "Buyer",
    "Listed",
    "Quote",
    "fts5_query",
    "in_season",
    "parts_of",
    "phrases",
    "price_of",
    "search_text",
    "tsquery",
    "village_words",
]

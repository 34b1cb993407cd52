"""The doors of this room. The cooperative's list and editor stand in the room of lots, which knows
what there is of each pack."""

from catalog.products.views import lists, photos, purchase, reviews

blueprints = [purchase.bp, lists.bp, reviews.bp, photos.bp]

"""The doors of this room."""

from catalog.products.views import goods, lists, photos, purchase, reviews

blueprints = [goods.bp, purchase.bp, lists.bp, reviews.bp, photos.bp]

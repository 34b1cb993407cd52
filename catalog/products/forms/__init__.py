"""What people type about products and prices → plain values, all mistakes at once."""

from catalog.products.forms.goods import (
    NEW_PACKS,
    read_new_product,
    read_off,
    read_pictures,
    read_return,
    read_version,
)
from catalog.products.forms.prices import (
    read_pack_price,
    read_pasted,
    read_price,
    read_price_list,
    read_reference,
)
from catalog.products.forms.tiers import written_steps

__all__ = [
    "NEW_PACKS",
    "read_new_product",
    "read_off",
    "read_pack_price",
    "read_pasted",
    "read_pictures",
    "read_price",
    "read_price_list",
    "read_reference",
    "read_return",
    "read_version",
    "written_steps",
]

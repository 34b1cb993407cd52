"""What is done with products: described, reviewed, offered, priced."""

from catalog.products import queries
from catalog.products.operations.deciding import admit_version, return_version
from catalog.products.operations.describing import (
    add_category,
    add_pack,
    create_product,
    learn_villages,
    relearn_villages,
)
from catalog.products.operations.mandated import name_goods
from catalog.products.operations.offering import (
    end_product,
    offer_pack_again,
    put_on_sale,
    resume_sale,
    retire_pack,
    take_off_all,
    take_off_lapsed,
    take_off_sale,
)
from catalog.products.operations.pricing import (
    Agreed,
    RisesTooMuch,
    agree_prices,
    change_price,
    end_price_list,
)
from catalog.products.operations.purchase import publish_purchase_price
from catalog.products.operations.versions import (
    MOST_PHOTOS,
    add_photos,
    propose_price,
    save_version,
    submit_version,
    withdraw_version,
)
from catalog.products.operations.watching import Seen, note_measure, record_references

__all__ = [
    "MOST_PHOTOS",
    "Agreed",
    "RisesTooMuch",
    "Seen",
    "add_category",
    "add_pack",
    "add_photos",
    "admit_version",
    "agree_prices",
    "change_price",
    "create_product",
    "end_price_list",
    "end_product",
    "learn_villages",
    "name_goods",
    "note_measure",
    "offer_pack_again",
    "propose_price",
    "publish_purchase_price",
    "put_on_sale",
    "queries",
    "record_references",
    "relearn_villages",
    "resume_sale",
    "retire_pack",
    "return_version",
    "save_version",
    "submit_version",
    "take_off_all",
    "take_off_lapsed",
    "take_off_sale",
    "withdraw_version",
]

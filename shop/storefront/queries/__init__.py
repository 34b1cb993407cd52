"""What the public pages read beyond the rooms' own queries; counts leave only as the public may
read them."""

from shop.storefront.queries.figures import (
    Incomes,
    VillageIncome,
    YearOfMoney,
    incomes,
    published,
    year_of_money,
    years_of_money,
)
from shop.storefront.queries.filters import Choice, filters, seasons_of
from shop.storefront.queries.letters import Reviews, ReviewShown, reviews_of
from shop.storefront.queries.paid import Paid, paid_for_product, paid_of, voices_of_lot
from shop.storefront.queries.papers import Papers, papers_of
from shop.storefront.queries.quotas import YearOfShares, year_of_shares
from shop.storefront.queries.road import PublicRoad, public_road
from shop.storefront.queries.travel import Sender, names_of_regions, region_typed, senders
from shop.storefront.queries.villages import (
    VillageGoods,
    goods_of_villages,
    households_with_goods,
    village_by,
)

__all__ = [
    "Choice",
    "Incomes",
    "Paid",
    "Papers",
    "PublicRoad",
    "ReviewShown",
    "Reviews",
    "Sender",
    "VillageGoods",
    "VillageIncome",
    "YearOfMoney",
    "YearOfShares",
    "filters",
    "goods_of_villages",
    "households_with_goods",
    "incomes",
    "names_of_regions",
    "paid_for_product",
    "paid_of",
    "papers_of",
    "public_road",
    "published",
    "region_typed",
    "reviews_of",
    "seasons_of",
    "senders",
    "village_by",
    "voices_of_lot",
    "year_of_money",
    "year_of_shares",
    "years_of_money",
]

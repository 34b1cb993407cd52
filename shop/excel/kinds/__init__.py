"""The kinds of rows that come in and go out as tables."""

from shop.excel.columns import Kind
from shop.excel.kinds.households import HOUSEHOLDS
from shop.excel.kinds.lots import LOTS
from shop.excel.kinds.prices import PRICES
from shop.excel.kinds.products import PRODUCTS
from shop.excel.kinds.references import REFERENCES

KINDS: dict[str, Kind] = {
    each.key: each for each in (HOUSEHOLDS, PRODUCTS, PRICES, LOTS, REFERENCES)
}

"""The operator's register, certificates with the goods behind them, and 带动 with its money."""

from shop.suppliers.views.certificates import bp as certificates
from shop.suppliers.views.linkage import bp as linkage
from shop.suppliers.views.register import bp as register
from shop.suppliers.views.review import bp as review

blueprints = (register, certificates, linkage, review)

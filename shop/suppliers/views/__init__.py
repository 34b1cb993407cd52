"""The operator's register, certificates and mandates with their goods, 带动 with its money."""

from shop.suppliers.views.certificates import bp as certificates
from shop.suppliers.views.linkage import bp as linkage
from shop.suppliers.views.mandates import bp as mandates
from shop.suppliers.views.register import bp as register
from shop.suppliers.views.review import bp as review

blueprints = (register, certificates, mandates, linkage, review)

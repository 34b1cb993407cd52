"""Every door of the house: the blueprints of the rooms. One line each, in the order of the rooms."""

from __future__ import annotations

from flask import Blueprint

from catalog.lots import views as lots
from catalog.products import views as products
from orders.payments import views as payments
from orders.sales import views as sales
from orders.shares import views as shares
from shop.audit import views as audit
from shop.office import views as office
from shop.storefront import views as storefront
from shop.views import account, admin, machine, settings

BLUEPRINTS: list[Blueprint] = [
    storefront.bp,
    account.bp,
    settings.bp,
    admin.bp,
    office.bp,
    audit.bp,
    *lots.blueprints,
    products.bp,
    *sales.blueprints,
    *payments.blueprints,
    shares.bp,
    machine.bp,
]

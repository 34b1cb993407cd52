"""Every door of the house: the blueprints, one line each, in the order of the rooms."""

from __future__ import annotations

from flask import Blueprint

from catalog.lots import views as lots
from catalog.products import views as products
from catalog.suppliers import views as suppliers
from orders.agencies.views import coop as agencies_coop
from orders.agencies.views import deliveries as canteen_deliveries
from orders.agencies.views import filings as canteen_filings
from orders.agencies.views import fulfilment as coop_fulfilment
from orders.agencies.views import harvests as coop_harvests
from orders.agencies.views import lines as bulk_lines
from orders.agencies.views import money as canteen_money
from orders.agencies.views import office as filings_office
from orders.agencies.views import orders as canteen_orders
from orders.agencies.views import staff as canteen_staff
from orders.agencies.views import today as canteen_today
from orders.payments import views as payments
from orders.payouts import views as payouts
from orders.sales import views as sales
from orders.shares import views as shares
from orders.tracing import views as tracing
from shop.account import book, data, employer, joining, openid, own_orders
from shop.audit import views as audit
from shop.desks import coop_today
from shop.excel import views as excel
from shop.households import changing as household_changes
from shop.households import views as households
from shop.office import prices as market
from shop.office import views as office
from shop.storefront import finding, impact, machines, preview, showing
from shop.storefront import views as storefront
from shop.suppliers import views as supplier_desks
from shop.views import account, admin, bank, machine, settings

BLUEPRINTS: list[Blueprint] = [
    storefront.bp,
    impact.bp,
    finding.bp,
    showing.bp,
    machines.bp,
    account.bp,
    joining.bp,
    openid.bp,
    own_orders.bp,
    book.bp,
    employer.bp,
    data.bp,
    settings.bp,
    admin.bp,
    office.bp,
    market.bp,
    preview.bp,
    coop_today.bp,
    *excel.blueprints,
    audit.bp,
    *lots.blueprints,
    households.producers_bp,
    households.bp,
    household_changes.bp,
    *suppliers.blueprints,
    *supplier_desks.blueprints,
    *products.blueprints,
    *sales.blueprints,
    *payments.blueprints,
    shares.bp,
    *payouts.blueprints,
    canteen_today.bp,
    canteen_filings.bp,
    canteen_orders.bp,
    canteen_deliveries.bp,
    canteen_money.bp,
    canteen_staff.bp,
    agencies_coop.bp,
    bulk_lines.canteen,
    bulk_lines.coop,
    coop_fulfilment.bp,
    coop_harvests.bp,
    filings_office.bp,
    *tracing.blueprints,
    bank.bp,
    machine.bp,
]

"""A product as the buyer will see it, before anybody has admitted it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template

from catalog.lots.queries.sheet import preview_sheet
from catalog.products import queries as products
from catalog.products.models import ProductVersion
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.web.access import organisation_id, requires
from kernel.web.work import session, today
from orders.shares.queries import sharing_of
from shop.storefront import dividing, offers, queries

bp = Blueprint("preview", __name__)


@bp.get("/coop/products/<int:product_id>/preview")
@requires(*COOPERATIVE)
def own(product_id: int) -> str:
    """What is being written, or what the shop shows where nothing is."""
    supplier = supplier_of(session(), organisation_id())
    product = products.product_sheet_of(session(), supplier.id, product_id)
    version = products.open_version(session(), product.id)
    if version is None:
        shown = [pack for pack in product.packs if pack.on_sale]
        return _page(product, shown)
    return _proposed(products.version_sheet(session(), version.id))


@bp.get("/admin/products/<int:version_id>/preview")
@requires(Role.OPERATOR)
def submitted(version_id: int) -> str:
    return _proposed(products.version_sheet(session(), version_id))


def _proposed(version: ProductVersion) -> str:
    made = products.proposed(session(), version)
    return _page(made, made.packs)


def _page(product: object, packs: Sequence[object]) -> str:
    sheet = preview_sheet(session(), product, packs, today())
    key = sheet.product.id
    sharing = sharing_of(session(), [key], today()).get(key)
    chosen = offers.usual(sheet)
    groups = offers.groups_of(sheet, chosen, sharing)
    return render_template(
        "storefront/product.html",
        chosen=chosen,
        comparison=None,
        groups=groups,
        mandate=None,
        offers=sheet.packs,
        paid=None,
        previewing=True,
        promise=None,
        references=[],
        seen=[],
        understood=True,
        product=sheet.product,
        reviews=queries.reviews_of(session(), key),
        share=dividing.households_get(groups),
        sharing=sharing,
        sheet=sheet,
    )

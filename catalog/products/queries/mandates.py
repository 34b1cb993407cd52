"""Which goods are sold for somebody else, and whether they may be today (domain.md §2.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import MandatedProduct, Product, ProductState
from catalog.suppliers.models import Mandate, Supplier, SupplierKind
from catalog.suppliers.rules import ONLY_FOR_OTHERS, mandate_holds, may_sell

_SELLS_FOR_OTHERS = tuple(each for each in SupplierKind if each.value in ONLY_FOR_OTHERS)


def without_mandate(
    session: Session, today: date, *, product_ids: Collection[int] | None = None
) -> set[int]:
    """Of these products (of all that are on sale, if none are named) the ones that need a mandate
    and have none that holds today; two queries whatever the number."""
    asked = (
        Product.state == ProductState.ON_SALE
        if product_ids is None
        else Product.id.in_(sorted(product_ids))
    )
    kinds: dict[int, SupplierKind] = {}
    held: dict[int, list[tuple[bool, bool]]] = {}
    grower = sa.orm.aliased(Supplier)
    for product_id, kind, mandate, state in session.execute(
        sa.select(Product.id, Supplier.kind, Mandate, grower.state)
        .join(Supplier, Supplier.id == Product.supplier_id)
        .outerjoin(MandatedProduct, MandatedProduct.product_id == Product.id)
        .outerjoin(Mandate, Mandate.id == MandatedProduct.mandate_id)
        .outerjoin(grower, grower.id == Mandate.principal_id)
        .where(asked, sa.or_(Mandate.id.is_not(None), Supplier.kind.in_(_SELLS_FOR_OTHERS)))
    ):
        kinds[product_id] = kind
        found = held.setdefault(product_id, [])
        if mandate is not None:
            holds = mandate_holds(
                mandate.state.value, state.value, mandate.valid_from, mandate.valid_to, today
            )
            found.append((mandate.agreed_at is not None, holds))
    return {key for key, kind in kinds.items() if not may_sell(kind.value, held[key])}


def mandates_behind(session: Session, today: date) -> dict[int, Mandate]:
    """Product → the mandate under which it is sold today, the latest to end, with whoever gave it;
    what suppliers sell as their own is absent."""
    found = session.execute(
        sa.select(MandatedProduct.product_id, Mandate)
        .join(MandatedProduct, MandatedProduct.mandate_id == Mandate.id)
        .options(joinedload(Mandate.principal).joinedload(Supplier.organisation))
        .order_by(Mandate.valid_to, Mandate.id)
    )
    return {
        product_id: each
        for product_id, each in found
        if mandate_holds(
            each.state.value, each.principal.state.value, each.valid_from, each.valid_to, today
        )
    }


def products_under(session: Session, mandate_ids: Collection[int]) -> Mapping[int, list[Product]]:
    """Mandate → the goods it names, in the order of the shelf."""
    found: dict[int, list[Product]] = {}
    for row in session.scalars(
        sa.select(MandatedProduct)
        .join(MandatedProduct.product)
        .options(joinedload(MandatedProduct.product))
        .where(MandatedProduct.mandate_id.in_(sorted(mandate_ids)))
        .order_by(Product.position, Product.id)
    ):
        found.setdefault(row.mandate_id, []).append(row.product)
    return found


def goods_of(session: Session, supplier_ids: Collection[int]) -> Mapping[int, list[Product]]:
    """Supplier → everything it has, in the order of its shelf."""
    found: dict[int, list[Product]] = {}
    for product in session.scalars(
        sa.select(Product)
        .where(Product.supplier_id.in_(sorted(supplier_ids)))
        .order_by(Product.position, Product.id)
    ):
        found.setdefault(product.supplier_id, []).append(product)
    return found

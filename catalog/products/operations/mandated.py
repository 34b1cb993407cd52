"""Which goods a mandate names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import MandatedProduct, Product
from catalog.suppliers.models import Mandate, MandateState
from catalog.suppliers.queries import mandate_of
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Missing, Refusal, Text


def name_goods(
    session: Session,
    supplier_id: int,
    mandate_id: int,
    product_ids: Collection[int],
    *,
    by: Actor,
    now: datetime,
) -> list[MandatedProduct]:
    """The seller names goods of its own while the mandate is only proposed; afterwards only whoever
    gave it does, because it alone knows what it lets others sell. Goods named already stay; only
    new rows are returned."""
    get_or_missing(session, Mandate, mandate_id, lock=True)
    mandate = mandate_of(session, supplier_id, mandate_id)
    if mandate.state not in (MandateState.PROPOSED, MandateState.AGREED):
        raise Refusal("This mandate is decided already: %(state)s.", state=mandate.state)
    if mandate.state is MandateState.AGREED and mandate.principal_id != supplier_id:
        raise Refusal("It is agreed already; ask whoever gave it to name further goods.")
    theirs = set(
        session.scalars(
            sa.select(Product.id).where(
                Product.id.in_(sorted(set(product_ids))), Product.supplier_id == mandate.agent_id
            )
        )
    )
    if theirs != set(product_ids):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    named = set(
        session.scalars(
            sa.select(MandatedProduct.product_id).where(MandatedProduct.mandate_id == mandate.id)
        )
    )
    made = [
        MandatedProduct(mandate_id=mandate.id, product_id=each, **stamp(by, now))
        for each in sorted(theirs - named)
    ]
    if made:
        session.add_all(made)
        session.flush()
        audit.note(
            session, "name_goods", f"supplier:{mandate.agent_id}", by=by, now=now,
            mandate=mandate.id, products=[each.product_id for each in made],
        )  # fmt: skip
    return made

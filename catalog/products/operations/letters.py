"""Who hears that goods left the shelf without anybody having taken them off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.products.models import OffReason, Product
from catalog.suppliers.operations import tell
from catalog.suppliers.queries import managers_of, operators, supplier_sheet
from kernel.actors import Actor
from kernel.errors import Named, Text
from kernel.periods import business_day

_WHY = {
    OffReason.CERTIFICATE: Text(
        "A certificate of the supplier has ended. Record the renewed one under “Certificates”, then"
        " put the goods on sale again there."
    ),
    OffReason.MANDATE: Text(
        "The mandate to sell them has ended or no longer holds. Record the next one under “Sold for"
        " others”, then put the goods on sale again there."
    ),
    OffReason.RULE_BROKEN: Text(
        "The supplier may not sell at present. The reason stands under “Our admission”."
    ),
}


def tell_of_taking(
    session: Session, taken: Sequence[Product], why: OffReason, *, by: Actor, now: datetime
) -> None:
    """One letter for each supplier whose goods are concerned, to its managers and the platform."""
    by_supplier: dict[int, list[Product]] = {}
    for each in taken:
        by_supplier.setdefault(each.supplier_id, []).append(each)
    today = business_day(now)
    platform = operators(session, today) if by_supplier else []
    for supplier_id, goods in sorted(by_supplier.items()):
        supplier = supplier_sheet(session, supplier_id)
        which = hashlib.sha256("-".join(str(each.id) for each in goods).encode()).hexdigest()[:12]
        tell(
            session,
            [*managers_of(session, supplier.organisation_id, today), *platform],
            Text("Off sale: %(products)s", products=[_name(each) for each in goods[:5]]),
            Text(
                "%(supplier)s: %(products)s went off sale on %(day)s. %(why)s What was ordered"
                " before stays ordered.",
                supplier=supplier.organisation.name,
                products=[_name(each) for each in goods],
                day=today,
                why=_WHY[why],
            ),
            key=f"off_sale:{why.value}:{today.isoformat()}:{which}",
            but=by,
            now=now,
        )


def _name(product: Product) -> Named:
    return Named(product.name_zh, product.name_en or product.name_zh)

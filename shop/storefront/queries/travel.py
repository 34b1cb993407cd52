"""Where parcels go: the zones of each cooperative, and places by what people type."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Product
from catalog.products.queries import offered
from catalog.suppliers.models import Supplier
from kernel.people import Organisation
from kernel.regions import Level, Region
from kernel.text import pinyin, tidy
from orders.sales.queries import places_named_in
from orders.sales.queries.freight import (
    region_by_name,
    region_names,
    template_in_force,
    zone_values,
)
from orders.sales.rules.addresses import choose_place
from orders.sales.rules.freight import Zone


@dataclass(frozen=True, slots=True)
class Sender:
    """A cooperative that sends parcels: from where, and what its template says; none asks for
    nothing and sends everywhere."""

    supplier_id: int
    origin: str
    zones: tuple[Zone, ...]


def senders(session: Session, today: date) -> dict[int, Sender]:
    """Every supplier with something on sale. Three queries."""
    rows = session.execute(
        sa.select(Supplier.id, Organisation.region_code)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .where(sa.exists().where(Product.supplier_id == Supplier.id, offered(today)))
    ).all()
    templates = template_in_force(session, [supplier_id for supplier_id, _ in rows], today)
    return {
        supplier_id: Sender(
            supplier_id,
            origin or "",
            tuple(zone_values(zone) for zone in templates[supplier_id].zones)
            if supplier_id in templates
            else (),
        )
        for supplier_id, origin in rows
    }


def region_typed(session: Session, text: str) -> str | None:
    """The code of the place: `渝北区`, `重庆市渝北区`, `重庆`, `500112` or `Chongqing`; None when
    it is not clear which."""
    plain = tidy(text)
    if not plain or len(plain) > 60:
        return None
    exact = region_by_name(session, plain)
    if len(exact) == 1:
        return exact[0]
    place = choose_place(plain, places_named_in(session, plain))
    return place.code if place else _by_sound(session, plain)


def _by_sound(session: Session, text: str) -> str | None:
    """A province or city without its last character, or in pinyin."""
    wanted = text.lower().replace(" ", "").replace("'", "")
    found = [
        (level, code)
        for code, name, level in session.execute(
            sa.select(Region.code, Region.name, Region.level).where(
                Region.level.in_((Level.PROVINCE, Level.PREFECTURE)),
                Region.successor_code.is_(None),
            )
        )
        if wanted in (bare := _bare(name), pinyin(bare))
    ]
    provinces = [code for level, code in found if level is Level.PROVINCE]
    codes = provinces or [code for _, code in found]
    return codes[0] if len(codes) == 1 else None


def _bare(name: str) -> str:
    for ending in ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市"):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name


def names_of_regions(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Code → name with its province; what is no code has none."""
    return region_names(session, codes)

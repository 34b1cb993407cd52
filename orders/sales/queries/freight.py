"""What carriage is asked for, and what of it was frozen with an order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.products.models import Pack
from catalog.suppliers.models import Supplier
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.quantities import BaseUnit
from kernel.regions import Level, Region
from orders.sales.models import FreightTemplate, FreightZone, OrderFreight
from orders.sales.rules.days import Offer
from orders.sales.rules.freight import Zone, freight_of, gross_weight


def templates_of(session: Session, supplier_id: int, *, limit: int = 20) -> list[FreightTemplate]:
    """Every version of this supplier with its zones, the newest first."""
    return list(
        session.scalars(
            sa.select(FreightTemplate)
            .where(FreightTemplate.supplier_id == supplier_id)
            .order_by(FreightTemplate.version.desc())
            .limit(limit)
            .options(selectinload(FreightTemplate.zones))
        )
    )


def template_in_force(
    session: Session, supplier_ids: Collection[int], on: date
) -> dict[int, FreightTemplate]:
    """Supplier → the template of that day: the last to begin, and of those the newest version."""
    rows = session.scalars(
        sa.select(FreightTemplate)
        .where(
            FreightTemplate.supplier_id.in_(sorted(supplier_ids)),
            FreightTemplate.valid_from <= on,
        )
        .order_by(FreightTemplate.valid_from, FreightTemplate.version)
        .options(selectinload(FreightTemplate.zones))
    )
    return {each.supplier_id: each for each in rows}


def offers_of(
    templates: Mapping[int, FreightTemplate], supplier_ids: Iterable[int]
) -> list[Offer | None]:
    """What each of these suppliers offers; None for one that has no template."""
    found = (templates.get(supplier_id) for supplier_id in sorted(set(supplier_ids)))
    return [Offer(each.weekdays, each.halves, each.lead_days) if each else None for each in found]


def zone_values(zone: FreightZone) -> Zone:
    """A row as the rule takes it."""
    return Zone(
        region=zone.region,
        served=zone.served,
        first_g=zone.first_g,
        first_fee=zone.first_fee,
        step_g=zone.step_g,
        step_fee=zone.step_fee,
        free_from=zone.free_from,
        days=zone.days,
    )


@dataclass(frozen=True, slots=True)
class Item:
    """So many packs in a basket, and what they cost."""

    pack: Pack
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Carriage:
    """What sending one supplier's part costs; None where it does not send."""

    supplier_id: int
    template_id: int
    grams: int
    amount: Money | None


def carriage_of(
    session: Session, items: Sequence[Item], *, region: str, pick_up: bool, on: date
) -> list[Carriage]:
    """Per supplier that asks for freight: its goods travel together. The products are loaded."""
    suppliers = {item.pack.product.supplier_id for item in items}
    return carriage_from(
        template_in_force(session, suppliers, on), items, region=region, pick_up=pick_up
    )


def carriage_from(
    templates: Mapping[int, FreightTemplate],
    items: Sequence[Item],
    *,
    region: str,
    pick_up: bool = False,
) -> list[Carriage]:
    """The same with templates that are at hand: many parcels are reckoned from one reading."""
    sums: dict[int, tuple[int, Money]] = {}
    for item in items:
        product = item.pack.product
        grams, goods = sums.get(product.supplier_id, (0, ZERO))
        weight = gross_weight(
            content=item.pack.content,
            gross_g=item.pack.gross_g,
            weighed=product.base_unit is BaseUnit.GRAM,
            quantity=item.pack.content * item.count,
        )
        sums[product.supplier_id] = (grams + weight, goods + item.amount)
    return [
        Carriage(
            supplier_id,
            template.id,
            sums[supplier_id][0],
            freight_of(
                [zone_values(each) for each in template.zones],
                region=region,
                grams=sums[supplier_id][0],
                goods=sums[supplier_id][1],
                pick_up=pick_up,
            ),
        )
        for supplier_id, template in sorted(templates.items())
        if supplier_id in sums
    ]


def together(parcels: Iterable[Sequence[Carriage]]) -> list[Carriage]:
    """Per supplier what all these parcels cost; None as soon as one of them is not served."""
    sums: dict[int, Carriage] = {}
    for each in (one for parcel in parcels for one in parcel):
        before = sums.get(each.supplier_id)
        if before is None:
            sums[each.supplier_id] = each
            continue
        unserved = before.amount is None or each.amount is None
        sums[each.supplier_id] = Carriage(
            each.supplier_id,
            each.template_id,
            before.grams + each.grams,
            None if unserved else (before.amount or ZERO) + (each.amount or ZERO),
        )
    return [sums[key] for key in sorted(sums)]


def frozen_freight(session: Session, order_id: int) -> list[OrderFreight]:
    """What carriage of this order cost, per supplier that asked for it."""
    return list(
        session.scalars(
            sa.select(OrderFreight)
            .where(OrderFreight.order_id == order_id)
            .order_by(OrderFreight.supplier_id)
        )
    )


def supplier_names(session: Session, supplier_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(
        sa.select(Supplier.id, Organisation.short_name)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .where(Supplier.id.in_(sorted(supplier_ids)))
    )
    return dict(rows.all())  # type: ignore[arg-type]


def region_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Code → name with its province: 安徽省合肥市, 重庆市黔江区."""
    wanted = {code for code in codes if code}
    parents = {f"{code[:2]}0000000000" for code in wanted} | {
        f"{code[:4]}00000000" for code in wanted
    }
    rows = session.execute(
        sa.select(Region.code, Region.name).where(Region.code.in_(sorted(wanted | parents)))
    )
    known: dict[str, str] = dict(rows.all())  # type: ignore[arg-type]
    found = {}
    for code in wanted:
        road = dict.fromkeys((f"{code[:2]}0000000000", f"{code[:4]}00000000", code))
        names = [known[each] for each in road if each in known]
        found[code] = "".join(each for each in names if each not in ("市辖区", "县"))
    return found


def region_by_name(session: Session, text: str) -> list[str]:
    """Codes of the provinces, prefectures and counties of exactly this name or code.

    `重庆市`, `重庆市黔江区` and `500114` are all understood; several codes mean it is not clear.
    """
    plain = text.strip()
    if plain.isascii() and plain.isdigit():
        whole = plain.ljust(12, "0")[:12]
        return list(session.scalars(sa.select(Region.code).where(Region.code == whole)))
    rows = session.execute(
        sa.select(Region.code, Region.name)
        .where(
            sa.literal(plain).contains(Region.name),
            Region.level.in_((Level.PROVINCE, Level.PREFECTURE, Level.COUNTY)),
            Region.successor_code.is_(None),
        )
        .order_by(Region.code)
        .limit(200)
    ).all()
    names = region_names(session, [code for code, _ in rows])
    return [code for code, name in rows if plain in (name, names[code])]

"""Whoever mixes the goods of several households answers for them: the lot's 承诺达标合格证.

It is issued by itself when goods are taken in or come out of processing, because nothing on the
list of kinds may leave the store without one. What it says is written once; a lot that grows or
shrinks, or whose promise rests on something better, gets a new one that names its sources
(domain.md §2.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots import rules
from catalog.lots.models import CommitmentBasis, ConformityCertificate, Contribution, Lot
from catalog.lots.queries.conformity import conformity_of
from catalog.lots.queries.stock import IN_LOT
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp, sum_whole
from kernel.errors import Missing, Refusal, Text
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.regions import Region


def certify(
    session: Session,
    lot: Lot,
    product: Product,
    supplier: Supplier,
    *,
    basis: CommitmentBasis = CommitmentBasis.INTERNAL_CONTROL,
    sources: Sequence[str] = (),
    by: Actor,
    now: datetime,
) -> ConformityCertificate | None:
    """The lot as it is now has its certificate; None if its kind of goods needs none.

    `sources` are certificates of other lots that it was made of; earlier ones of this lot and
    those of its households are named by themselves. `supplier` has its organisation loaded. The
    caller writes the audit note.
    """
    if not product.needs_certificate:
        return None
    before = conformity_of(session, lot.id)
    if before or not lot.certificate_no:
        lot.certificate_no = next_number(session, "HG", now)
    whole, villages = _what_is_in(session, lot)
    content = {
        **_content(session, lot, product, supplier, whole, villages, basis, now),
        "producer": supplier.organisation.name,
        "answers_as": "collector" if villages else "producer",
    }
    named = sorted({*sources, *(each.number for each in before)} - {lot.certificate_no, ""})
    return _write(session, lot, None, basis, whole, content, named, by=by, now=now)


def issue_certificate(
    session: Session,
    supplier_id: int,
    lot_id: int,
    *,
    basis: CommitmentBasis,
    by: Actor,
    now: datetime,
) -> ConformityCertificate:
    """A new certificate for the lot as it is now, because what its promise rests on has changed,
    or because it has none yet. One that would say the same changes nothing."""
    lot = _lot(session, supplier_id, lot_id)
    newest = next(
        (each for each in reversed(conformity_of(session, lot.id)) if not each.contribution_id),
        None,
    )
    whole, _ = _what_is_in(session, lot)
    if not whole:
        raise Refusal("Nothing is in this lot: every slip of it was reversed.")
    if newest is not None and (newest.basis, newest.quantity) == (basis, whole):
        return newest
    issued = certify(session, lot, lot.product, lot.supplier, basis=basis, by=by, now=now)
    if issued is None:
        raise Refusal("Goods of this kind need no certificate of conformity.")
    audit.note(session, "issue_certificate", f"lot:{lot.id}", by=by, now=now, number=issued.number)
    return issued


def issue_household_certificate(
    session: Session,
    supplier_id: int,
    lot_id: int,
    contribution_id: int,
    *,
    basis: CommitmentBasis,
    by: Actor,
    now: datetime,
) -> ConformityCertificate:
    """The household's own promise for what it brought; a second one is the first one again.

    The lot's next certificate names it as a source.
    """
    lot = _lot(session, supplier_id, lot_id)
    part = session.scalar(
        sa.select(Contribution)
        .options(joinedload(Contribution.household))
        .where(Contribution.id == contribution_id, Contribution.lot_id == lot.id, IN_LOT)
    )
    if part is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if part.household is None or not lot.product.needs_certificate:
        raise Refusal("Goods of this kind need no certificate of conformity.")
    known = session.scalar(
        sa.select(ConformityCertificate).where(ConformityCertificate.contribution_id == part.id)
    )
    if known is not None:
        return known
    village = session.scalar(
        sa.select(Region.name).where(Region.code == part.household.region_code)
    )
    content = {
        **_content(
            session, lot, lot.product, lot.supplier, part.quantity,
            [short_name(village or "")], basis, now,
        ),
        "producer": part.household.name,
        "answers_as": "household",
    }  # fmt: skip
    number = next_number(session, "HG", now)
    issued = _write(
        session, lot, part.id, basis, part.quantity, content, [], number=number, by=by, now=now
    )
    audit.note(
        session, "issue_household_certificate", f"lot:{lot.id}", by=by, now=now, number=number
    )
    return issued


def _lot(session: Session, supplier_id: int, lot_id: int) -> Lot:
    found = session.scalar(
        sa.select(Lot)
        .options(
            joinedload(Lot.product), joinedload(Lot.supplier).joinedload(Supplier.organisation)
        )
        .where(Lot.id == lot_id, Lot.supplier_id == supplier_id)
        .with_for_update(of=Lot)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def _what_is_in(session: Session, lot: Lot) -> tuple[int, list[str]]:
    """(what came into the lot in base units, the villages it came from by their names)."""
    rows = session.execute(
        sa.select(Region.name, sum_whole(Contribution.quantity))
        .select_from(Contribution)
        .outerjoin(Household, Household.id == Contribution.household_id)
        .outerjoin(Region, Region.code == Household.region_code)
        .where(Contribution.lot_id == lot.id, IN_LOT)
        .group_by(Region.code, Region.name)
        .order_by(Region.code)
    ).all()
    return sum(int(quantity) for _, quantity in rows), [
        short_name(name) for name, _ in rows if name
    ]


def _content(
    session: Session,
    lot: Lot,
    product: Product,
    supplier: Supplier,
    quantity: int,
    villages: Sequence[str],
    basis: CommitmentBasis,
    now: datetime,
) -> dict[str, Any]:
    day = business_day(now)
    return {
        "format": 1,
        "product": product.name_zh,
        "product_en": product.name_en,
        "grade": lot.grade.value,
        "quantity": quantity,
        "unit": product.base_unit.value,
        "lot": lot.code,
        "place": _place(session, supplier.organisation.region_code),
        "villages": list(villages),
        "harvested_on": lot.harvested_on.isoformat(),
        "collector": supplier.organisation.name,
        "phone": supplier.phone,
        "issued_on": day.isoformat(),
        "keep_until": rules.keep_until(day).isoformat(),
        "basis": basis.value,
    }


def _place(session: Session, code: str) -> str:
    """重庆市黔江区水市镇, as far as the regions are known."""
    wanted = [code[:2] + "0" * 10, code[:6] + "0" * 6, code[:9] + "0" * 3]
    names = dict(
        session.execute(sa.select(Region.code, Region.name).where(Region.code.in_(wanted))).all()
    )
    return "".join(names.get(each, "") for each in wanted)


def _write(
    session: Session,
    lot: Lot,
    contribution_id: int | None,
    basis: CommitmentBasis,
    quantity: int,
    content: dict[str, Any],
    sources: list[str],
    *,
    number: str | None = None,
    by: Actor,
    now: datetime,
) -> ConformityCertificate:
    issued = ConformityCertificate(
        number=number or lot.certificate_no,
        lot_id=lot.id,
        contribution_id=contribution_id,
        basis=basis,
        issued_on=business_day(now),
        quantity=quantity,
        content=content,
        sources=sources,
        **stamp(by, now),
    )
    session.add(issued)
    session.flush()
    return issued

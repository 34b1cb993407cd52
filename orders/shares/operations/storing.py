"""Goods enter the store at a price, and are written off at it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Contribution, Lot, SlipState, WeighSlip
from catalog.lots.operations.intake import take_in
from catalog.lots.operations.stock import Loss, spoil
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal, Text
from kernel.money import ZERO
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.shares.models import BenefitModel
from orders.shares.queries.ruling import rules_in_force
from orders.shares.queries.splitting import rules_by_id


def take_in_slips(
    session: Session,
    slip_ids: Sequence[int],
    *,
    supplier_id: int,
    best_before: date | None = None,
    available_from: date | None = None,
    by: Actor,
    now: datetime,
) -> list[Contribution]:
    """Confirmed slips become stock, and what is bought at the scale is owed from now on.

    Goods on consignment (model B) enter at no cost: their household is owed when they are sold.
    The same slips again change nothing.
    """
    supplier = get_or_missing(session, Supplier, supplier_id)
    known = _in_store_already(session, slip_ids)
    contributions = take_in(
        session, slip_ids, supplier_id=supplier_id, best_before=best_before,
        available_from=available_from, by=by, now=now,
    )  # fmt: skip
    slips = list(
        session.scalars(
            sa.select(WeighSlip)
            .where(WeighSlip.id.in_(sorted(set(slip_ids) - known)))
            .options(joinedload(WeighSlip.household), joinedload(WeighSlip.product))
            .order_by(WeighSlip.id)
        )
    )
    today = business_day(now)
    consigned = _consigned(session, slips, today)
    stocked = {each.id: each for each in contributions}
    for slip in slips:
        contribution = stocked.get(slip.contribution_id or 0)
        if slip.product_id in consigned and contribution is not None and contribution.cost:
            contribution.cost = ZERO
    session.flush()
    post(
        session,
        [
            Entry(
                accounts.goods(supplier.code),
                accounts.household(slip.household.code, supplier.code),
                slip.amount,
                f"slip:{slip.id}",
                f"{slip.number} {slip.product.name_zh}",
            )
            for slip in slips
            if slip.product_id not in consigned
        ],
        on=today,
        by=by,
        now=now,
    )
    audit.note(
        session, "take_in_slips", f"supplier:{supplier_id}", by=by, now=now,
        slips=[slip.number for slip in slips],
    )  # fmt: skip
    return contributions


def _in_store_already(session: Session, slip_ids: Sequence[int]) -> set[int]:
    """Slips that an earlier request took in, under the rule of that day."""
    return set(
        session.scalars(
            sa.select(WeighSlip.id).where(
                WeighSlip.id.in_(sorted(set(slip_ids))), WeighSlip.state == SlipState.TAKEN_IN
            )
        )
    )


def _consigned(session: Session, slips: Sequence[WeighSlip], today: date) -> set[int]:
    """Products whose rule pays after the sale. Every product of the slips has a rule."""
    products = {slip.product_id: slip.product for slip in slips}
    in_force = rules_in_force(session, list(products), today)
    reasons = [
        Text("No benefit rule of %(product)s is in force.", product=product.name_zh)
        for key, product in sorted(products.items())
        if key not in in_force
    ]
    if reasons:
        raise Refusal(
            Text("These goods cannot be taken in before it is settled how they are paid for."),
            tuple(reasons),
        )
    rules = rules_by_id(session, in_force.values())
    return {
        product_id
        for product_id, rule_id in in_force.items()
        if rules[rule_id].model is BenefitModel.CONSIGNMENT
    }


def write_off(
    session: Session, contribution_id: int, quantity: int, *, cause: str, by: Actor, now: datetime
) -> Loss:
    """Free goods are lost (报损): they leave the store, and their cost is a loss of the supplier.

    What the household was owed or paid for them stays as it is. Once per cause.
    """
    contribution = get_or_missing(session, Contribution, contribution_id)
    loss = spoil(session, contribution_id, quantity, cause=cause, by=by, now=now)
    supplier = session.scalars(
        sa.select(Supplier.code).where(Supplier.id == _supplier_of(session, contribution.lot_id))
    ).one()
    post(
        session,
        [Entry(accounts.loss(supplier), accounts.goods(supplier), loss.cost, cause)],
        on=business_day(now),
        by=by,
        now=now,
    )
    audit.note(
        session, "write_off", f"contribution:{contribution_id}", by=by, now=now,
        quantity=loss.quantity, cost=loss.cost,
    )  # fmt: skip
    return loss


def _supplier_of(session: Session, lot_id: int) -> int:
    return session.scalars(sa.select(Lot.supplier_id).where(Lot.id == lot_id)).one()

"""Publishing the rule by which a product's money is divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.lots.models import Contribution
from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp, sum_whole
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Price
from orders.shares.models import BenefitModel, BenefitRule, CostKind, RuleCost

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One cost of every line: per kg (or piece), or in basis points of the amount."""

    kind: CostKind
    per_unit: Price | None = None
    share_bp: int | None = None
    citizens_only: bool = False


def publish_rule(
    session: Session,
    product_id: int,
    *,
    model: BenefitModel,
    retained_bp: int,
    resolution: str,
    costs: Sequence[Cost],
    valid_from: date,
    by: Actor,
    now: datetime,
) -> BenefitRule:
    """The next version of a product's rule, in force from `valid_from` on for orders placed then.

    The same rule again is the one that holds. Nothing is kept back without a resolution. Whether
    households are paid at the scale or after the sale cannot change while goods are in the store.
    """
    resolution = resolution.strip()
    _check(model, retained_bp, resolution, costs)
    get_or_missing(session, Product, product_id)
    lock_pools(session, [product_id])
    last = session.scalar(
        sa.select(BenefitRule)
        .where(BenefitRule.product_id == product_id)
        .order_by(BenefitRule.version.desc())
        .limit(1)
        .options(selectinload(BenefitRule.costs))
    )
    if last is not None:
        if _says(last) == (model, retained_bp, resolution, valid_from, _plain(costs)):
            return last
        _check_follows(session, last, model, valid_from)
    rule = BenefitRule(
        product_id=product_id,
        version=last.version + 1 if last else 1,
        model=model,
        valid_from=valid_from,
        retained_bp=retained_bp,
        resolution=resolution,
        costs=[
            RuleCost(
                kind=cost.kind,
                citizens_only=cost.citizens_only,
                per_unit=cost.per_unit,
                share_bp=cost.share_bp,
            )
            for cost in costs
        ],
        **stamp(by, now),
    )
    session.add(rule)
    session.flush()  # so that the note can name rule.id
    audit.note(
        session, "publish_rule", f"rule:{rule.id}", by=by, now=now,
        product=product_id, version=rule.version, model=model.value, valid_from=valid_from,
    )  # fmt: skip
    return rule


def _check(model: BenefitModel, retained_bp: int, resolution: str, costs: Sequence[Cost]) -> None:
    errors: dict[str, Text] = {}
    if not 0 <= retained_bp <= WHOLE_BP:
        errors["retained"] = Text("The retained share lies between 0 and 100 percent.")
    if retained_bp and not resolution:
        errors["resolution"] = Text("Nothing is kept back without the number of a resolution.")
    for cost in costs:
        if (cost.per_unit is None) == (cost.share_bp is None):
            errors["costs"] = Text("Each cost is either per unit or a share of the amount.")
        elif (cost.per_unit or Price(0)).per_unit < 0 or (cost.share_bp or 0) < 0:
            errors["costs"] = Text("A cost cannot be less than nothing.")
    if sum(cost.share_bp or 0 for cost in costs) >= WHOLE_BP:
        errors["costs"] = Text("The costs alone would take the whole amount.")
    if errors:
        raise Invalid(errors)


def _check_follows(
    session: Session, last: BenefitRule, model: BenefitModel, valid_from: date
) -> None:
    if valid_from < last.valid_from:
        raise Refusal(
            "A rule cannot begin before the one it follows, which holds from %(day)s.",
            day=last.valid_from,
        )
    changes = (last.model is BenefitModel.CONSIGNMENT) != (model is BenefitModel.CONSIGNMENT)
    if changes and _in_store(session, last.product_id):
        raise Refusal(
            "How households are paid for these goods cannot change while some are in the store."
        )


def _in_store(session: Session, product_id: int) -> bool:
    held = sa.select(sum_whole(Contribution.on_hand)).where(Contribution.product_id == product_id)
    return bool(session.scalar(held))


_Said = tuple[BenefitModel, int, str, date, list[tuple[str, int | None, int | None, bool]]]


def _says(rule: BenefitRule) -> _Said:
    costs = [
        Cost(
            kind=each.kind,
            per_unit=each.per_unit,
            share_bp=each.share_bp,
            citizens_only=each.citizens_only,
        )
        for each in rule.costs
    ]
    return rule.model, rule.retained_bp, rule.resolution, rule.valid_from, _plain(costs)


def _plain(costs: Sequence[Cost]) -> list[tuple[str, int | None, int | None, bool]]:
    return sorted(
        (
            (
                cost.kind.value,
                cost.per_unit.per_unit if cost.per_unit else None,
                cost.share_bp,
                cost.citizens_only,
            )
            for cost in costs
        ),
        key=repr,
    )

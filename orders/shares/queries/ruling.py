"""The rule in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from orders.shares.models import BenefitRule


def rules_in_force(session: Session, product_ids: Sequence[int], day: date) -> dict[int, int]:
    """Product → id of the rule that orders of that day are placed under; absent: none."""
    newest = (
        sa.select(
            BenefitRule.product_id,
            BenefitRule.id,
            sa.func.row_number()
            .over(
                partition_by=BenefitRule.product_id,
                order_by=(BenefitRule.valid_from.desc(), BenefitRule.version.desc()),
            )
            .label("place"),
        )
        .where(BenefitRule.product_id.in_(product_ids), BenefitRule.valid_from <= day)
        .subquery()
    )
    rows = session.execute(
        sa.select(newest.c.product_id, newest.c.id)
        .where(newest.c.place == 1)
        .order_by(newest.c.product_id)
    )
    return {int(product_id): int(rule_id) for product_id, rule_id in rows}

"""What splitting and reversing a line need to know, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, selectinload

from catalog.households.models import Household
from catalog.lots.models import Contribution
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel.db import sum_whole
from kernel.money import Money
from orders.ledger.models import Account, Transfer
from orders.shares.models import BenefitRule, PartKind, SplitPart
from orders.shares.rules.split import CostTerm, Terms

AT_ONCE = 500


def terms_of(rule: BenefitRule) -> Terms:
    """The rule as the arithmetic reads it; its costs are loaded."""
    return Terms(
        rule.model.value,
        rule.retained_bp,
        tuple(
            CostTerm(cost.kind.value, cost.per_unit, cost.share_bp, cost.citizens_only)
            for cost in rule.costs
        ),
    )


def rules_by_id(session: Session, rule_ids: Iterable[int]) -> dict[int, BenefitRule]:
    """With their costs."""
    return {
        rule.id: rule
        for rule in session.scalars(
            sa.select(BenefitRule)
            .where(BenefitRule.id.in_(sorted(set(rule_ids))))
            .options(selectinload(BenefitRule.costs))
        )
    }


def products_by_id(session: Session, product_ids: Iterable[int]) -> dict[int, Product]:
    return {
        product.id: product
        for product in session.scalars(
            sa.select(Product).where(Product.id.in_(sorted(set(product_ids))))
        )
    }


def supplier_codes(session: Session, supplier_ids: Iterable[int]) -> dict[int, str]:
    rows = session.execute(
        sa.select(Supplier.id, Supplier.code).where(Supplier.id.in_(sorted(set(supplier_ids))))
    )
    return {key: code for key, code in rows}  # noqa: C416  rows are not pairs to mypy


def household_codes(session: Session, household_ids: Iterable[int]) -> dict[int, str]:
    wanted = sorted(set(household_ids))
    found: dict[int, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = session.execute(
            sa.select(Household.id, Household.code).where(
                Household.id.in_(wanted[start : start + AT_ONCE])
            )
        )
        found |= {key: code for key, code in rows}  # noqa: C416
    return found


@dataclass(slots=True)
class Source:
    """One contribution, and how much of it is sold already."""

    id: int
    household_id: int | None
    quantity: int
    cost: Money
    sold: int


def sources(session: Session, contribution_ids: Iterable[int]) -> dict[int, Source]:
    """Their products are locked, so nobody else sells of them meanwhile."""
    wanted = sorted(set(contribution_ids))
    found: dict[int, Source] = {}
    for start in range(0, len(wanted), AT_ONCE):
        keys = wanted[start : start + AT_ONCE]
        for key, household_id, quantity, cost in session.execute(
            sa.select(
                Contribution.id, Contribution.household_id, Contribution.quantity, Contribution.cost
            ).where(Contribution.id.in_(keys))
        ):
            found[key] = Source(key, household_id, quantity, cost, 0)
        for sold_of, sold in session.execute(
            sa.select(SplitPart.contribution_id, sum_whole(SplitPart.quantity))
            .where(SplitPart.contribution_id.in_(keys), SplitPart.kind == PartKind.FARM_GATE)
            .group_by(SplitPart.contribution_id)
        ):
            assert sold_of is not None
            found[sold_of].sold = int(sold)
    return found


def parts_of_subjects(session: Session, subjects: Iterable[str]) -> dict[str, list[SplitPart]]:
    """Parts that were written before, by subject, in the order they were written."""
    wanted = sorted(set(subjects))
    found: dict[str, list[SplitPart]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        for part in session.scalars(
            sa.select(SplitPart)
            .where(SplitPart.subject.in_(wanted[start : start + AT_ONCE]))
            .order_by(SplitPart.id)
        ):
            found.setdefault(part.subject, []).append(part)
    return found


def parts_of_line(session: Session, line_key: str) -> list[SplitPart]:
    """Everything that was ever written of an order line: its settlements and its refunds."""
    return list(
        session.scalars(
            sa.select(SplitPart).where(SplitPart.line == line_key).order_by(SplitPart.id)
        )
    )


def unpaid_of(
    session: Session, account_codes: dict[int, str], causes: Sequence[str]
) -> dict[int, Money]:
    """Household → what of the transfers of these causes is still owed to it.

    Payments settle the oldest claims first, so what is still owed are the newest claims. A payment
    that came back restores the claim it had settled and is no claim of its own.
    """
    debit, credit = aliased(Account), aliased(Account)
    rows = session.execute(
        sa.select(
            credit.code.label("credited"),
            debit.code.label("debited"),
            Transfer.id,
            Transfer.amount,
            Transfer.cause,
        )
        .join(debit, debit.id == Transfer.debit_id)
        .join(credit, credit.id == Transfer.credit_id)
        .where(
            sa.or_(
                credit.code.in_(list(account_codes.values())),
                debit.code.in_(list(account_codes.values())),
            )
        )
        .order_by(Transfer.id.desc())
    ).all()
    mine = set(causes)
    found: dict[int, Money] = {}
    for household_id, code in account_codes.items():
        owed = sum(row.amount.fen for row in rows if row.credited == code)
        owed -= sum(row.amount.fen for row in rows if row.debited == code)
        unpaid = 0
        for row in rows:
            if row.credited != code or row.debited.startswith(PAYMENTS) or owed <= 0:
                continue
            covered = min(owed, row.amount.fen)
            unpaid += covered if row.cause in mine else 0
            owed -= covered
        found[household_id] = Money(unpaid)
    return found


PAYMENTS = ("liabilities:in-transit:", "assets:bank:")

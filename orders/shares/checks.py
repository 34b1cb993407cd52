"""What must always be true of settled lines (architecture, invariant 4; domain.md §4.6, R10)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.lots.models import Contribution, Lot, StockMove
from catalog.lots.queries.stock import FROM_THE_TOP
from catalog.lots.rules import cost_up_to
from catalog.suppliers.models import Supplier
from kernel.checks import Check, Difference, Findings, Sides, rows_of
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO, Money
from orders.ledger import rules as accounts
from orders.ledger.models import Account, Transfer
from orders.ledger.queries import balances
from orders.shares.models import CostKind, PartKind, SplitPart

_CLEARING = "liabilities:clearing:"


def _clearing_is_empty(session: Session) -> Iterator[Difference]:
    for code, balance in balances(session, _CLEARING).items():
        if balance:
            yield Difference(code, Text("holds %(balance)s", balance=balance))


def _parts_are_the_amount(session: Session) -> Findings:
    """Σ parts of a subject = what the ledger says was settled (or refunded) under its name."""
    debit, credit = aliased(Account), aliased(Account)
    settled = sa.case(
        (credit.code.startswith(_CLEARING), sa.type_coerce(Transfer.amount, sa.BigInteger)),
        else_=-sa.type_coerce(Transfer.amount, sa.BigInteger),
    )
    parts = (
        sa.select(SplitPart.subject, sum_money(SplitPart.amount).label("amount"))
        .group_by(SplitPart.subject)
        .subquery()
    )
    said = sa.func.coalesce(settled, 0)
    divided = booked = ZERO
    for subject, amount, posted in session.execute(
        sa.select(parts.c.subject, parts.c.amount, said)
        .outerjoin(Transfer, Transfer.cause == parts.c.subject)
        .outerjoin(debit, debit.id == Transfer.debit_id)
        .outerjoin(credit, credit.id == Transfer.credit_id)
        .order_by(parts.c.subject)
        .execution_options(yield_per=2000)
    ):
        divided, booked = divided + amount, booked + Money(int(posted))
        if amount.fen != posted:
            yield Difference(
                subject,
                Text(
                    "parts of %(parts)s, but %(settled)s was settled",
                    parts=amount,
                    settled=Money(int(posted)),
                ),
            )
    return Sides(divided, booked)


def _accounts_hold_the_parts(session: Session) -> Findings:
    """Collective, costs and cooperative hold exactly what lines gave them, and beside it what
    buyers paid for carriage, which no line divides (`payments.freight` looks at that)."""
    given: dict[str, Money] = {}
    for code, kind, amount in session.execute(
        sa.select(Supplier.code, SplitPart.kind, sum_money(SplitPart.amount))
        .join(Supplier, Supplier.id == SplitPart.supplier_id)
        .group_by(Supplier.code, SplitPart.kind)
    ):
        account = _account_of(kind, code)
        if account is not None:
            given[account] = given.get(account, ZERO) + amount
    for code, amount in session.execute(
        sa.select(Account.code, sum_money(Transfer.amount))
        .join(Transfer, Transfer.credit_id == Account.id)
        .where(Transfer.cause.startswith("freight:order:"))
        .group_by(Account.code)
    ):
        given[code] = given.get(code, ZERO) + amount
    held: dict[str, Money] = {}
    for prefix in ("liabilities:collective:", "liabilities:costs:", "income:cooperative:"):
        held |= balances(session, prefix)
    for code in sorted({*given, *held}):
        if given.get(code, ZERO) != held.get(code, ZERO):
            yield Difference(
                code,
                Text(
                    "holds %(held)s, lines gave %(given)s",
                    held=held.get(code, ZERO),
                    given=given.get(code, ZERO),
                ),
            )
    return Sides.of_money(given.values(), held.values())


def _account_of(kind: PartKind, supplier: str) -> str | None:
    if kind is PartKind.RETAINED:
        return accounts.collective(supplier)
    if kind is PartKind.COOPERATIVE:
        return accounts.cooperative(supplier)
    if kind.value in {cost.value for cost in CostKind}:
        return accounts.cost(kind.value, supplier)
    return None


def _goods_are_worth_what_they_cost(session: Session) -> Findings:
    """The account of goods = the cost of everything that is neither sold, processed nor lost."""
    gone = _summed(session, StockMove.contribution_id, -StockMove.quantity,
                   StockMove.kind.in_(FROM_THE_TOP))  # fmt: skip
    sold = _summed(session, SplitPart.contribution_id, SplitPart.quantity,
                   SplitPart.kind == PartKind.FARM_GATE)  # fmt: skip
    worth: dict[str, int] = {}
    for key, quantity, cost, code in session.execute(
        sa.select(Contribution.id, Contribution.quantity, Contribution.cost, Supplier.code)
        .join(Lot, Lot.id == Contribution.lot_id)
        .join(Supplier, Supplier.id == Lot.supplier_id)
        .execution_options(yield_per=2000)
    ):
        left = cost_up_to(cost.fen, quantity, quantity - gone.get(key, 0))
        taken = cost_up_to(cost.fen, quantity, sold.get(key, 0))
        account = accounts.goods(code)
        worth[account] = worth.get(account, 0) + left - taken
    held = balances(session, "assets:goods:")
    for code in sorted({*worth, *held}):
        if held.get(code, ZERO).fen != worth.get(code, 0):
            yield Difference(
                code,
                Text(
                    "holds %(held)s, the goods cost %(worth)s",
                    held=held.get(code, ZERO),
                    worth=Money(worth.get(code, 0)),
                ),
            )
    return Sides.of_money(map(Money, worth.values()), held.values())


def _summed(
    session: Session,
    key: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    quantity: sa.ColumnElement[int] | InstrumentedAttribute[int],
    where: sa.ColumnElement[bool],
) -> dict[int, int]:
    rows = session.execute(sa.select(key, sum_whole(quantity)).where(where).group_by(key))
    return {int(found): int(total) for found, total in rows if found is not None}


CHECKS: list[Check] = [
    Check(
        "shares.clearing",
        Text("Clearing is empty"),
        _clearing_is_empty,
        rows_of(Account),
    ),
    Check(
        "shares.parts",
        Text("R10: the parts of a line are its amount"),
        _parts_are_the_amount,
        rows_of(SplitPart),
    ),
    Check(
        "shares.accounts",
        Text("Collective, costs and cooperative hold what lines gave them"),
        _accounts_hold_the_parts,
        rows_of(SplitPart),
    ),
    Check(
        "shares.goods",
        Text("Goods in the books are worth what they cost"),
        _goods_are_worth_what_they_cost,
        rows_of(Contribution),
    ),
]

"""Taking back the split of what is refunded, except what households were already paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots.queries.stock import lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Refusal
from kernel.money import ZERO, Money, total
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.shares.models import PartKind, SplitPart
from orders.shares.operations.settling import POOLS, clear, columns_of, pool_cause, write_parts
from orders.shares.queries import splitting
from orders.shares.queries.splitting import terms_of
from orders.shares.rules.split import Piece, Standing, reverse, sold_cost


def reverse_line(
    session: Session,
    *,
    subject: str,
    of_line: str,
    amount: Money,
    quantity: int,
    credit_code: str,
    on: date,
    returned: Mapping[int, int] | None = None,
    by: Actor,
    now: datetime,
) -> list[SplitPart]:
    """Parts of the opposite sign for what is refunded of a settled line; they add up to −amount.

    `credit_code` is the account the money goes back through. `returned` (contribution → quantity)
    is what lies in the store again: its cost goes back with it. What households were already paid
    stays with them. A subject that was reversed before keeps its parts.
    """
    assert amount > ZERO
    before = splitting.parts_of_line(session, of_line)
    if not before:
        raise Refusal("Nothing of this line has been settled yet, so nothing can be taken back.")
    lock_pools(session, [before[0].product_id])
    before = splitting.parts_of_line(session, of_line)
    if mine := [part for part in before if part.subject == subject]:
        return mine
    left = total(part.amount for part in before)
    if amount > left:
        raise Refusal(
            "No more can be refunded of this line than was settled: %(left)s is left.", left=left
        )
    supplier = splitting.supplier_codes(session, [before[0].supplier_id])[before[0].supplier_id]
    rule = splitting.rules_by_id(session, [before[0].rule_id])[before[0].rule_id]
    households = splitting.household_codes(
        session, [part.household_id for part in before if part.household_id is not None]
    )
    standing = _standing(session, before, households, supplier)
    changes = reverse(terms_of(rule), standing, amount, _returned(session, returned or {}, before))
    model = before[0]
    rows = [
        {
            "subject": subject, "line": model.line, "order": model.order,
            "supplier_id": model.supplier_id, "product_id": model.product_id,
            "rule_id": model.rule_id, "on": on, **columns_of(subject, part), **stamp(by, now),
        }
        for part in changes
    ]  # fmt: skip
    parts = write_parts(session, rows)
    assert total(part.amount for part in parts) == -amount
    product = splitting.products_by_id(session, [model.product_id])[model.product_id]
    refund = Entry(accounts.clearing(supplier), credit_code, amount, subject, product.name_zh)
    clearing = clear(subject, parts, supplier, households, product.name_zh)
    post(session, [refund, *clearing], on=on, by=by, now=now)
    audit.note(
        session, "reverse_line", model.order, by=by, now=now,
        refund=subject, line=of_line, amount=amount, quantity=quantity,
    )  # fmt: skip
    return parts


def _standing(
    session: Session, parts: Sequence[SplitPart], households: Mapping[int, str], supplier: str
) -> Standing:
    sums: dict[tuple[str, int | None], Money] = {}
    weights: dict[tuple[int | None, int], int] = {}
    for part in parts:
        pooled = part.kind in POOLS or part.kind is PartKind.COOPERATIVE
        whose = part.household_id if part.kind in POOLS else None
        key = part.kind.value, whose
        sums[key] = sums.get(key, ZERO) + part.amount
        if pooled and part.contribution_id is not None:
            weight = whose, part.contribution_id
            weights[weight] = weights.get(weight, 0) + part.quantity
    causes = [
        pool_cause(part.subject, part.kind, part.household_id)
        for part in parts
        if part.kind in POOLS and part.household_id is not None
    ]
    codes = {key: accounts.household(code, supplier) for key, code in households.items()}
    unpaid = splitting.unpaid_of(session, codes, causes) if causes else {}
    return Standing(sums, [(*key, weight) for key, weight in weights.items()], unpaid)


def _returned(
    session: Session, returned: Mapping[int, int], parts: Sequence[SplitPart]
) -> list[Piece]:
    gone: dict[int, int] = {}
    for part in parts:
        if part.kind is PartKind.FARM_GATE and part.contribution_id is not None:
            gone[part.contribution_id] = gone.get(part.contribution_id, 0) + part.quantity
    pieces = []
    sources = splitting.sources(session, returned)
    for key, quantity in sorted(returned.items()):
        source = sources[key]
        if source.cost:
            assert 0 <= quantity <= gone.get(key, 0), (key, quantity)
            cost = sold_cost(source.cost, source.quantity, source.sold, -quantity)
            pieces.append(Piece(key, source.household_id, quantity, 0, -cost))
    return pieces

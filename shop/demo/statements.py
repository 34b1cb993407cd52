"""What arrives at the cooperatives' bank, and the statements that tell of it every week.

Units transfer on their own day; the cooperative learns of it when its accountant imports the
week's statement and says which order each line pays.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.money import Money
from orders.agencies.operations import recognise_payment
from orders.ledger.queries import balance
from orders.ledger.rules import provider
from orders.payments.models import BankLine
from orders.payments.operations import import_statement, recognise_provider_transfer
from orders.payments.rules.statements import StatementRow
from orders.payouts.operations import confirm_from_statement
from shop.demo import tables
from shop.demo.town import Town, at


@dataclass(slots=True)
class Waiting:
    """One movement on the account: a unit's money, or a payout that went or came back."""

    row: StatementRow
    order_id: int | None = None
    then: Callable[[datetime], None] | None = None
    from_provider: bool = False


@dataclass(slots=True)
class Till:
    """Movements of each cooperative that no statement has told of yet."""

    town: Town
    waiting: dict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    told: int = 0

    def expect(
        self,
        supplier: str,
        day: date,
        order_id: int,
        amount: Money,
        payer: str,
        then: Callable[[datetime], None],
    ) -> None:
        """A unit will transfer this much for this order on that day."""
        row = self._row(day, amount, payer, f"货款 订单{order_id}", "0001")
        self.waiting[supplier].append(Waiting(row, order_id, then))

    def move(
        self, supplier: str, day: date, amount: Money, who: str, memo: str, last4: str
    ) -> None:
        """Any other movement: payouts that leave, or come back."""
        self.waiting[supplier].append(Waiting(self._row(day, amount, who, memo, last4)))

    def _row(self, day: date, amount: Money, who: str, memo: str, last4: str) -> StatementRow:
        self.told += 1
        return StatementRow(day, amount, who, memo, f"B{day:%y%m%d}{self.told:07}", last4)

    def plan_statements(self) -> None:
        """Every Friday, and on the last working day of a year."""
        day = self.town.span.trade
        while day <= self.town.span.today:
            if day.weekday() == 4 or (day.month, day.day) == (12, 31):
                for number, row in enumerate(tables.suppliers()):
                    moment = at(day, 16, 5 + number)
                    self.town.plan(moment, self.tell, row["code"])
            day += timedelta(days=1)

    def tell(self, supplier: str, session: Session, now: datetime) -> None:
        """Import what moved until today, and match it."""
        today = (now + timedelta(hours=8)).date()
        self._provider_pays_out(supplier, today, session)
        due = [each for each in self.waiting[supplier] if each.row.on <= today]
        if not due:
            return
        self.waiting[supplier] = [each for each in self.waiting[supplier] if each.row.on > today]
        accountant = self.town.actor(supplier, Role.ACCOUNTANT)
        supplier_id = self.town.suppliers[supplier]
        name = f"{supplier}-{today:%y%m%d}.xlsx"
        statement = import_statement(
            session,
            supplier_id=supplier_id,
            name=name,
            sha256=hashlib.sha256(f"{self.town.seed}:{name}".encode()).hexdigest(),
            rows=[each.row for each in due],
            by=accountant,
            now=now,
        )
        later = now + timedelta(minutes=4)
        lines = dict(
            session.execute(
                sa.select(BankLine.bank_ref, BankLine.id).where(
                    BankLine.statement_id == statement.id
                )
            ).all()
        )
        for each in due:
            key = lines[each.row.bank_ref]
            if each.order_id is not None:
                recognise_payment(session, key, each.order_id, by=accountant, now=later)
            elif each.from_provider:
                recognise_provider_transfer(
                    session, key, supplier_id=supplier_id, by=accountant, now=later
                )
            if each.then is not None:
                each.then(later)
        if any(each.order_id is None and not each.from_provider for each in due):
            confirm_from_statement(
                session, supplier_id=supplier_id, statement_id=statement.id, by=accountant,
                now=later,
            )  # fmt: skip

    def _provider_pays_out(self, supplier: str, today: date, session: Session) -> None:
        """What citizens had paid is transferred every week."""
        held = balance(session, provider(supplier))
        if held.fen > 500_00:
            row = self._row(today, held, "支付机构结算款（样例）", "商户结算", "0099")
            self.waiting[supplier].append(Waiting(row, from_provider=True))

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
from kernel.people import Organisation
from orders.agencies.models import BulkOrder, Invoice, Stage
from orders.agencies.operations import recognise_payment
from orders.ledger.operations import Entry, post
from orders.ledger.queries import balance
from orders.ledger.rules import bank, provider
from orders.payments.models import BankLine
from orders.payments.operations import (
    import_statement,
    match_bank_line,
    recognise_provider_transfer,
)
from orders.payments.rules.statements import StatementRow
from orders.payouts.operations import confirm_from_statement
from orders.sales.models import Order
from shop.demo import tables
from shop.demo.people import SAMPLE_SUPPLIER
from shop.demo.town import Town, at

# What each cooperative has of its own at the beginning.
OWN_FUNDS = {
    "SS": Money(600_000_00), "YL": Money(300_000_00), "XA": Money(40_000_00),
    "GL": Money(60_000_00), "AX": Money(80_000_00),
}  # fmt: skip


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
    newest: int = 0

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
        """Every Friday, on the last day of a year, and this morning's, which nobody matched yet."""
        for row in tables.suppliers():
            begin = at(self.town.span.begin, 9, 30)
            self.town.plan(begin, self._open_account, row["code"])
        self.town.plan(self.town.services.clock() - timedelta(minutes=95), self._unmatched)
        day = self.town.span.trade
        while day <= self.town.span.today:
            if day.weekday() == 4 or (day.month, day.day) == (12, 31):
                for number, row in enumerate(tables.suppliers()):
                    moment = at(day, 16, 5 + number)
                    self.town.plan(moment, self.tell, row["code"])
            day += timedelta(days=1)

    def _open_account(self, supplier: str, session: Session, now: datetime) -> None:
        """The cooperative's own money, with which it pays households before it is paid."""
        amount = OWN_FUNDS[supplier]
        day = (now + timedelta(hours=8)).date()
        row = self._row(day, amount, "社员出资与上年结余", "期初余额", "0000")
        accountant = self.town.actor(supplier, Role.ACCOUNTANT)
        lines = self._import(supplier, f"{supplier}-begin.xlsx", [row], session, now)
        match_bank_line(
            session, lines[row.bank_ref], f"opening:{supplier}", amount, by=accountant, now=now
        )
        entry = Entry(bank(supplier), f"equity:opening:{supplier}", amount, f"opening:{supplier}")
        post(session, [entry], on=day, by=accountant, now=now)

    def _unmatched(self, session: Session, now: datetime) -> None:
        """Two units have transferred; the accountant must say for which orders."""
        day = (now + timedelta(hours=8)).date()
        rows = []
        for order_id, payer, amount in session.execute(
            sa.select(BulkOrder.order_id, Organisation.name, Invoice.amount)
            .join(Order, Order.id == BulkOrder.order_id)
            .join(Organisation, Organisation.id == Order.organisation_id)
            .join(Invoice, Invoice.order_id == Order.id)
            .where(
                BulkOrder.stage == Stage.TO_PAY,
                Order.supplier_id == self.town.suppliers[SAMPLE_SUPPLIER],
            )
            .order_by(BulkOrder.due_on, BulkOrder.order_id)
            .limit(2)
        ):
            rows.append(self._row(day, amount, payer, f"货款 订单{order_id}", "0001"))
        if rows:
            self._import(
                SAMPLE_SUPPLIER, f"{SAMPLE_SUPPLIER}-{day:%y%m%d}-a.xlsx", rows, session, now
            )

    def _import(
        self, supplier: str, name: str, rows: list[StatementRow], session: Session, now: datetime
    ) -> dict[str, int]:
        """Bank reference → id of the line."""
        statement = import_statement(
            session,
            supplier_id=self.town.suppliers[supplier],
            name=name,
            sha256=hashlib.sha256(f"{self.town.seed}:{name}".encode()).hexdigest(),
            rows=rows,
            by=self.town.actor(supplier, Role.ACCOUNTANT),
            now=now,
        )
        self.newest = statement.id
        return dict(
            session.execute(
                sa.select(BankLine.bank_ref, BankLine.id).where(
                    BankLine.statement_id == statement.id
                )
            ).all()
        )

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
        rows = [each.row for each in due]
        lines = self._import(supplier, f"{supplier}-{today:%y%m%d}.xlsx", rows, session, now)
        later = now + timedelta(minutes=4)
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
                session, supplier_id=supplier_id, statement_id=self.newest, by=accountant,
                now=later,
            )  # fmt: skip

    def _provider_pays_out(self, supplier: str, today: date, session: Session) -> None:
        """What citizens had paid is transferred every week."""
        held = balance(session, provider(supplier))
        if held.fen > 500_00:
            row = self._row(today, held, "支付机构结算款（样例）", "商户结算", "0099")
            self.waiting[supplier].append(Waiting(row, from_provider=True))

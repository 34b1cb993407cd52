"""Double entry with immutable transfers: one debit, one credit, one positive amount, one cause."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money


class AccountKind(Labelled):
    ASSETS = "assets"
    LIABILITIES = "liabilities"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSES = "expenses"


class Account(Model):
    """`code` is a path such as `liabilities:household:H-7K3Q96:SS`; `subject` says whose it is."""

    __tablename__ = "accounts"

    code: Mapped[str] = mapped_column(sa.String(80), unique=True)
    kind: Mapped[AccountKind]
    name: Mapped[str] = mapped_column(sa.String(120))
    subject: Mapped[str] = mapped_column(sa.String(40), index=True)
    opened_on: Mapped[date]


class Transfer(Made, Model):
    """Written once: the database refuses to change it. A mistake is corrected by another one."""

    __tablename__ = "transfers"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        sa.Index("ix_transfers_debit", "debit_id", "on"),
        sa.Index("ix_transfers_credit", "credit_id", "on"),
    )

    debit_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    credit_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    amount: Mapped[Money]
    on: Mapped[date] = mapped_column(index=True)
    cause: Mapped[str] = mapped_column(sa.String(120), unique=True)
    memo: Mapped[str] = mapped_column(sa.String(200), default="")

    debit: Mapped[Account] = related(foreign_keys=[debit_id])
    credit: Mapped[Account] = related(foreign_keys=[credit_id])

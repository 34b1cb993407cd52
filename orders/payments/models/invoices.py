"""Invoices of citizens' orders: what the buyer wants written on it, and the file that came.

The platform issues no tax invoice: the supplier who sells does, at the tax bureau. What everybody
can have at once is the order's own receipt, a page that says what was paid.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.crypto import Sealed
from kernel.db import Made, Model, related
from kernel.money import Money
from kernel.storage import StoredFile
from orders.sales.models import Order


class InvoiceWish(Made, Model):
    """开票信息: whose name stands on the invoice. `tax_number` is empty for a person."""

    __tablename__ = "invoice_wishes"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    title: Mapped[str] = mapped_column(Sealed)
    tax_number: Mapped[str] = mapped_column(sa.String(20), default="")

    order: Mapped[Order] = related()


class InvoiceFile(Made, Model):
    """The electronic invoice of one supplier for its part of an order; a red one has a negative
    amount. Together they are never more than the buyer kept."""

    __tablename__ = "invoice_files"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("amount <> 0", name="something"),)

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    amount: Mapped[Money]
    issued_on: Mapped[date]
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))

    file: Mapped[StoredFile] = related()

"""What a buyer shows with a claim, the way a claim took, and goods that travel back."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.storage import StoredFile
from orders.payments.models import Refund, RefundLine
from orders.sales.models import Allocation


class RefundPhoto(Made, Model):
    """The buyer's evidence: drawn anew without EXIF, shown to the parties and nobody else."""

    __tablename__ = "refund_photos"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("refund_id", "file_id"),)

    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"))
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))

    file: Mapped[StoredFile] = related()


class RefundEvent(Made, Model):
    """Every move of a refund or of its return parcel: who, when, from, to, in which words."""

    __tablename__ = "refund_events"
    __append_only__ = True

    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"), index=True)
    from_state: Mapped[str] = mapped_column(sa.String(32))
    to_state: Mapped[str] = mapped_column(sa.String(32))
    words: Mapped[str] = mapped_column(sa.String(200), default="")


class ReturnState(Labelled):
    """Where goods are that a buyer sends back."""

    TO_SEND = "to_send"
    UNDER_WAY = "under_way"
    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ENDED = "ended"


RETURN_MOVES: dict[ReturnState, frozenset[ReturnState]] = {
    ReturnState.TO_SEND: frozenset({ReturnState.UNDER_WAY, ReturnState.ARRIVED, ReturnState.ENDED}),
    ReturnState.UNDER_WAY: frozenset({ReturnState.ARRIVED, ReturnState.ENDED}),
    ReturnState.ARRIVED: frozenset({ReturnState.ACCEPTED, ReturnState.REFUSED}),
    ReturnState.ACCEPTED: frozenset(),
    ReturnState.REFUSED: frozenset(),
    ReturnState.ENDED: frozenset(),
}


class ReturnParcel(Made, Model):
    """Goods of one refund on their way back to the cooperative that sent them.

    The buyer names carrier and number; the refund is granted when the goods were inspected.
    """

    __tablename__ = "return_parcels"
    __table_args__ = (
        sa.CheckConstraint("(state <> 'under_way') OR carrier <> ''", name="carrier_named"),
        sa.Index("ix_return_parcels_supplier", "supplier_id", "state"),
    )

    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    state: Mapped[ReturnState]
    send_by: Mapped[date]
    carrier: Mapped[str] = mapped_column(sa.String(40), default="")
    tracking: Mapped[str] = mapped_column(sa.String(40), default="")
    sent_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    inspected_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(sa.String(200), default="")

    refund: Mapped[Refund] = related(back_populates="parcel")


class ReturnAddress(Made, Model):
    """Where a cooperative's buyers send goods back to."""

    __tablename__ = "return_addresses"

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), unique=True)
    recipient: Mapped[str] = mapped_column(sa.String(40))
    phone: Mapped[str] = mapped_column(sa.String(20))
    address: Mapped[str] = mapped_column(sa.String(120))


class ReturnSlice(Made, Model):
    """So much of one allocation came back and was taken: into the store, and of that so much is
    spoiled and written off. What was not taken has no slice and no money."""

    __tablename__ = "return_slices"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("refund_line_id", "allocation_id"),
        sa.CheckConstraint("quantity > 0 AND lost >= 0 AND lost <= quantity", name="within"),
    )

    refund_line_id: Mapped[int] = mapped_column(sa.ForeignKey("refund_lines.id"))
    allocation_id: Mapped[int] = mapped_column(sa.ForeignKey("allocations.id"), index=True)
    quantity: Mapped[int]
    lost: Mapped[int]

    refund_line: Mapped[RefundLine] = related()
    allocation: Mapped[Allocation] = related()

"""Baskets, orders, their lines and allocations, shipments, reviews: common to every buyer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from catalog.lots.models import Contribution, Lot
from catalog.products.models import Grade, Pack, Product
from catalog.suppliers.models import Supplier
from kernel.crypto import Sealed
from kernel.db import DERIVED, Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import ZERO, Money, Price
from kernel.people import Organisation


class Basket(Model):
    """What a browser (or a signed-in person) has put aside. Promises nothing, reserves nothing."""

    __tablename__ = "baskets"
    __audited__ = False

    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    touched_at: Mapped[datetime]
    # Whom a group purchase is for: the rows of the uploaded sheet as they were typed (JSON).
    people: Mapped[str | None] = mapped_column(Sealed)

    lines: Mapped[list[BasketLine]] = related(
        back_populates="basket", order_by="BasketLine.id", cascade="all, delete-orphan"
    )


class BasketLine(Model):
    __tablename__ = "basket_lines"
    __audited__ = False
    __table_args__ = (
        sa.UniqueConstraint("basket_id", "pack_id"),
        sa.CheckConstraint("count > 0", name="count_positive"),
    )

    basket_id: Mapped[int] = mapped_column(sa.ForeignKey("baskets.id"))
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"))
    count: Mapped[int]
    price_seen: Mapped[Money]
    note: Mapped[str] = mapped_column(sa.String(100), default="")

    basket: Mapped[Basket] = related(back_populates="lines")
    pack: Mapped[Pack] = related()


class BuyerKind(Labelled):
    CITIZEN = "citizen"
    UNIT = "unit"


class Channel(Labelled):
    """Where an order was placed; the policy of (region, year) says which channels count."""

    PLATFORM = "platform"
    NATIONAL_832 = "national_832"
    OFFLINE = "offline"


class DayPart(Labelled):
    """The half of the promised day that the buyer chose, where the cooperative offers halves."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


class OrderState(Labelled):
    """One state table for both kinds of buyer (domain.md §3.5).

    The first two hold goods without owning them: a citizen's waits for payment, a unit's for
    approval and signature. Both end in TO_SHIP or give the goods back.
    """

    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_SIGNATURE = "awaiting_signature"
    TO_SHIP = "to_ship"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


HOLDING = (OrderState.AWAITING_PAYMENT, OrderState.AWAITING_SIGNATURE)

MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.AWAITING_PAYMENT: frozenset(
        {OrderState.TO_SHIP, OrderState.CANCELLED, OrderState.CLOSED}
    ),
    OrderState.AWAITING_SIGNATURE: frozenset(
        {OrderState.TO_SHIP, OrderState.CANCELLED, OrderState.CLOSED}
    ),
    OrderState.TO_SHIP: frozenset(
        {OrderState.PARTLY_SHIPPED, OrderState.SHIPPED, OrderState.CANCELLED}
    ),
    # Backwards only when a shipment is called back that never left the yard.
    OrderState.PARTLY_SHIPPED: frozenset({OrderState.SHIPPED, OrderState.TO_SHIP}),
    OrderState.SHIPPED: frozenset(
        {OrderState.RECEIVED, OrderState.PARTLY_SHIPPED, OrderState.TO_SHIP}
    ),
    OrderState.RECEIVED: frozenset({OrderState.COMPLETED}),
    OrderState.COMPLETED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.CLOSED: frozenset(),
}


class Order(Made, Model):
    """Goods promised to one buyer. `code` is the public reference; a guest opens it with a key."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.CheckConstraint("total = goods + freight - discount", name="adds_up"),
        sa.CheckConstraint("total >= 0", name="total_not_negative"),
        sa.CheckConstraint("(buyer_kind = 'unit') = (organisation_id IS NOT NULL)", name="buyer"),
        sa.Index("ix_orders_state_hold", "state", "hold_until"),
        sa.Index("ix_orders_supplier", "supplier_id", "state"),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    code: Mapped[str] = mapped_column(sa.String(16), unique=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    buyer_kind: Mapped[BuyerKind]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisations.id"), index=True
    )
    # A unit's order has one supplier, who signs it; a citizen's basket may mix several.
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("suppliers.id"))
    channel: Mapped[Channel] = mapped_column(default=Channel.PLATFORM)
    external_no: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    state: Mapped[OrderState]
    placed_at: Mapped[datetime] = mapped_column(index=True)
    hold_until: Mapped[datetime | None]
    goods: Mapped[Money]
    freight: Mapped[Money] = mapped_column(default=ZERO)
    discount: Mapped[Money] = mapped_column(default=ZERO)
    total: Mapped[Money]
    recipient: Mapped[str] = mapped_column(Sealed)
    phone: Mapped[str] = mapped_column(Sealed)
    address: Mapped[str] = mapped_column(Sealed)
    email: Mapped[str | None] = mapped_column(Sealed)
    # Of the address above: a guest who opens an account finds earlier orders by it.
    email_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True, info=DERIVED)
    delivery_region: Mapped[str] = mapped_column(sa.String(12), default="")
    deliver_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    locale: Mapped[str] = mapped_column(sa.String(5), default="zh")
    # The buyer fetches it at the cooperative: no freight, no address.
    pick_up: Mapped[bool] = mapped_column(default=False, info=added(False))
    # The buyer confirmed that its fresh goods are outside the seven-day return; none: not asked.
    no_return_agreed: Mapped[bool | None] = mapped_column(info=added(None))
    # The employer that a citizen's purchase is to be credited to (domain.md §3.1).
    credit_organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisations.id"), index=True, info=added(None)
    )
    # Finds the orders of one phone number again, for what each buyer may have.
    phone_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True, info=added(None))
    day_part: Mapped[DayPart | None] = mapped_column(info=added(None))
    # A present: who sends it and what is wished; both travel with the goods.
    gift_from: Mapped[str | None] = mapped_column(Sealed, info=added(None))
    gift_words: Mapped[str | None] = mapped_column(Sealed, info=added(None))

    recipients: Mapped[list[OrderRecipient]] = related(order_by="OrderRecipient.position")
    lines: Mapped[list[OrderLine]] = related(back_populates="order", order_by="OrderLine.position")
    organisation: Mapped[Organisation | None] = related(foreign_keys=[organisation_id])
    supplier: Mapped[Supplier | None] = related()
    events: Mapped[list[OrderEvent]] = related(order_by="OrderEvent.id")
    shipments: Mapped[list[Shipment]] = related(back_populates="order", order_by="Shipment.id")


class OrderRecipient(Made, Model):
    """One of the people a group purchase is sent to: a parcel of the order, with its carriage.

    Named like the order's own columns, so that a paper asks either for its address. Like them it
    never changes, but that the people leave it with the buyer who leaves (`forget_buyer`).
    """

    __tablename__ = "order_recipients"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "position"),
        sa.CheckConstraint("freight >= 0", name="freight_not_negative"),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    position: Mapped[int]
    recipient: Mapped[str] = mapped_column(Sealed)
    phone: Mapped[str] = mapped_column(Sealed)
    address: Mapped[str] = mapped_column(Sealed)
    delivery_region: Mapped[str] = mapped_column(sa.String(12))
    note: Mapped[str] = mapped_column(sa.String(100), default="")
    freight: Mapped[Money]


class OrderLine(Made, Model):
    """So much of one pack at one price. Never changed, but for a day of delivery agreed anew; what
    happens to it is written beside it. `withdrawn` repeats what its `LineWithdrawal`s say: the
    line stands at `stands` base units for `owed`.

    `rule_key` names the benefit rule in force when it was placed (`rule:7`).
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "position"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("benefit_rules.id"))
    name_zh: Mapped[str] = mapped_column(sa.String(60))
    name_en: Mapped[str] = mapped_column(sa.String(80))
    pack_zh: Mapped[str] = mapped_column(sa.String(40))
    pack_en: Mapped[str] = mapped_column(sa.String(60))
    grade: Mapped[Grade]
    count: Mapped[int]
    quantity: Mapped[int]
    pack_price: Mapped[Money | None]
    unit_price: Mapped[Price | None]
    amount: Mapped[Money]
    deliver_on: Mapped[date | None]
    deliver_to: Mapped[str] = mapped_column(sa.String(60), default="")
    # The price list its price is from; none is the pack's own price, with its tiers.
    price_list_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("price_lists.id"), info=added(None)
    )
    withdrawn: Mapped[int] = mapped_column(default=0, info=DERIVED)
    withdrawn_amount: Mapped[Money] = mapped_column(default=ZERO, info=DERIVED)
    # Whose parcel it goes into; none is the order's own address.
    recipient_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("order_recipients.id"), info=added(None)
    )
    note: Mapped[str] = mapped_column(sa.String(100), default="", info=added(""))

    order: Mapped[Order] = related(back_populates="lines")
    to: Mapped[OrderRecipient | None] = related()
    product: Mapped[Product] = related()
    pack: Mapped[Pack] = related()
    supplier: Mapped[Supplier] = related()
    allocations: Mapped[list[Allocation]] = related(back_populates="line", order_by="Allocation.id")

    @property
    def stands(self) -> int:
        """Base units the line is still about."""
        return self.quantity - self.withdrawn

    @property
    def owed(self) -> Money:
        """What they cost."""
        return self.amount - self.withdrawn_amount


class LineWithdrawal(Made, Model):
    """So much of one line of a unit's order was given back before it left the store, what it would
    have cost, and why. The line, the order's sums and its figures follow."""

    __tablename__ = "line_withdrawals"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(sa.String(200))

    line: Mapped[OrderLine] = related()


class Allocation(Made, Model):
    """So much of this line comes from that household's part of that lot, and why.

    `quantity` is frozen. What is neither released nor shipped is open, and reserved in the lot. A
    slice that is replaced by another counts as released, and an `AllocationChange` says by which.
    """

    __tablename__ = "allocations"
    __table_args__ = (
        sa.Index("ix_allocations_line_contribution", "line_id", "contribution_id"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint(
            "released >= 0 AND shipped >= 0 AND released + shipped <= quantity", name="within"
        ),
    )

    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"))
    contribution_id: Mapped[int] = mapped_column(sa.ForeignKey("contributions.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("households.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[dict[str, Any]]
    released: Mapped[int] = mapped_column(default=0, info=DERIVED)
    shipped: Mapped[int] = mapped_column(default=0, info=DERIVED)

    line: Mapped[OrderLine] = related(back_populates="allocations")
    contribution: Mapped[Contribution] = related()
    lot: Mapped[Lot] = related()
    household: Mapped[Household | None] = related()

    @property
    def open(self) -> int:
        return self.quantity - self.released - self.shipped

    @property
    def kept(self) -> int:
        """What still serves the line, sent or not."""
        return self.quantity - self.released


class AllocationChange(Made, Model):
    """So much of one slice was replaced by another before it was shipped, and why (lessons 1, 38).

    The allocations of a line less its changes add up to the line: no gram is lost or invented.
    """

    __tablename__ = "allocation_changes"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("from_id <> to_id", name="another"),
    )

    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    from_id: Mapped[int] = mapped_column(sa.ForeignKey("allocations.id"), index=True)
    to_id: Mapped[int] = mapped_column(sa.ForeignKey("allocations.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(200))


class OrderEvent(Made, Model):
    """Every move of an order's state: who, when, from, to, why."""

    __tablename__ = "order_events"
    __append_only__ = True

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    from_state: Mapped[str] = mapped_column(sa.String(32))
    to_state: Mapped[str] = mapped_column(sa.String(32))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")


class CarrierKind(Labelled):
    PARCEL_SERVICE = "parcel_service"
    OWN_VEHICLE = "own_vehicle"


class Carrier(Made, Model):
    """Who takes a cooperative's goods away: a parcel service, or a vehicle of its own.

    `tracking_pattern` is the address where a parcel is followed, with `{number}` in it.
    """

    __tablename__ = "carriers"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "name"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[CarrierKind]
    tracking_pattern: Mapped[str] = mapped_column(sa.String(200), default="")
    plate: Mapped[str] = mapped_column(sa.String(12), default="")
    driver: Mapped[str] = mapped_column(sa.String(40), default="")
    driver_phone: Mapped[str] = mapped_column(Sealed)
    in_use: Mapped[bool] = mapped_column(default=True)


class Shipment(Made, Model):
    """One delivery of one supplier; an order may take several.

    `carrier`, `plate` and `driver` are frozen words. A shipment that was called back
    (`cancelled_at`) never left: its goods are reserved again, and its lines count nowhere.
    """

    __tablename__ = "shipments"

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    shipped_at: Mapped[datetime]
    carrier: Mapped[str] = mapped_column(sa.String(40), default="")
    tracking: Mapped[str] = mapped_column(sa.String(40), default="")
    delivered_at: Mapped[datetime | None]
    carrier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("carriers.id"), info=added(None))
    plate: Mapped[str] = mapped_column(sa.String(12), default="", info=added(""))
    driver: Mapped[str] = mapped_column(sa.String(40), default="", info=added(""))
    cancelled_at: Mapped[datetime | None] = mapped_column(info=added(None))
    cancelled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), info=added(None))
    cancel_reason: Mapped[str] = mapped_column(sa.String(200), default="", info=added(""))

    order: Mapped[Order] = related(back_populates="shipments")
    by_carrier: Mapped[Carrier | None] = related()
    lines: Mapped[list[ShipmentLine]] = related(order_by="ShipmentLine.id")

    @property
    def tracking_address(self) -> str | None:
        """Where the parcel is followed; the carrier is loaded."""
        if not self.tracking or self.by_carrier is None or not self.by_carrier.tracking_pattern:
            return None
        return self.by_carrier.tracking_pattern.replace("{number}", quote(self.tracking, safe=""))


class ShipmentLine(Model):
    __tablename__ = "shipment_lines"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipments.id"), index=True)
    allocation_id: Mapped[int] = mapped_column(sa.ForeignKey("allocations.id"), index=True)
    quantity: Mapped[int]

    allocation: Mapped[Allocation] = related()


class PickUpPoint(Made, Model):
    """Where a cooperative's goods may be fetched. Orders freeze its words in their address."""

    __tablename__ = "pick_up_points"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "name"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    address: Mapped[str] = mapped_column(sa.String(120))
    hours: Mapped[str] = mapped_column(sa.String(60))
    phone: Mapped[str] = mapped_column(sa.String(20), default="")
    in_use: Mapped[bool] = mapped_column(default=True)


class FreightTemplate(Made, Model):
    """What a cooperative asks for carriage, from `valid_from` until the next one. Written once.

    `weekdays` are the days on which it brings goods to a chosen day (1 is Monday), none if buyers
    choose no day; at the earliest `lead_days` after the order.
    """

    __tablename__ = "freight_templates"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("supplier_id", "version"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    version: Mapped[int]
    valid_from: Mapped[date]
    note: Mapped[str] = mapped_column(sa.String(100), default="")
    weekdays: Mapped[str] = mapped_column(sa.String(7), default="", info=added(""))
    halves: Mapped[bool] = mapped_column(default=False, info=added(False))
    lead_days: Mapped[int] = mapped_column(default=2, info=added(2))

    zones: Mapped[list[FreightZone]] = related(order_by="FreightZone.id")


class FreightZone(Model):
    """One row of a template: goods to this region cost `first_fee` up to `first_g`, then `step_fee`
    for each started `step_g`; nothing from `free_from` worth of goods on (None: never free).

    `region` is the code of a province, prefecture or county, empty for everywhere else."""

    __tablename__ = "freight_zones"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("template_id", "region"),
        sa.CheckConstraint("first_g > 0 AND step_g > 0", name="weights_positive"),
        sa.CheckConstraint("first_fee >= 0 AND step_fee >= 0", name="fees_not_negative"),
    )

    template_id: Mapped[int] = mapped_column(sa.ForeignKey("freight_templates.id"))
    region: Mapped[str] = mapped_column(sa.String(12), default="")
    served: Mapped[bool]
    first_g: Mapped[int]
    first_fee: Mapped[Money]
    step_g: Mapped[int]
    step_fee: Mapped[Money]
    free_from: Mapped[Money | None]
    # Days on the road at the most; none: `rules.travelling.usual_days`.
    days: Mapped[int | None] = mapped_column(info=added(None))


class OrderFreight(Made, Model):
    """What carriage of one supplier's part of an order cost when it was placed. Frozen."""

    __tablename__ = "order_freights"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("order_id", "supplier_id"),
        sa.CheckConstraint("grams >= 0 AND amount >= 0", name="not_negative"),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("freight_templates.id"))
    grams: Mapped[int]
    amount: Mapped[Money]


class Review(Made, Model):
    """What a buyer says of a received order. One per order line, or one per bulk order.

    It is never deleted (电商法 §39): the operator may cover its words and photos with a reason,
    which is then shown in their place; its stars count all the same.
    """

    __tablename__ = "reviews"
    __table_args__ = (sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"))
    subject: Mapped[str] = mapped_column(sa.String(40), unique=True)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(sa.String(1000), default="")
    place: Mapped[str] = mapped_column(sa.String(40), default="")
    reply: Mapped[str] = mapped_column(sa.String(500), default="")
    # [{"id": picture, "sizes": [[width, height], …]}, …], as pages draw them.
    photos: Mapped[list[Any]] = mapped_column(default=list, info=added([]))
    # Why its words are covered; empty while they are shown.
    covered: Mapped[str] = mapped_column(sa.String(200), default="", info=added(""))

    order: Mapped[Order] = related()


class SavedAddress(Made, Model):
    """An address that a citizen keeps for the next order. Deleted for good when it is deleted."""

    __tablename__ = "saved_addresses"
    __table_args__ = (
        sa.Index(
            "uq_saved_addresses_default",
            "user_id",
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        ),
    )

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    label: Mapped[str] = mapped_column(sa.String(20), default="")
    recipient: Mapped[str] = mapped_column(Sealed)
    phone: Mapped[str] = mapped_column(Sealed)
    place: Mapped[str] = mapped_column(Sealed)
    detail: Mapped[str] = mapped_column(Sealed)
    is_default: Mapped[bool]


class EmployerCode(Made, Model):
    """What a unit gives its staff to name it by. A new code takes the place of the old one."""

    __tablename__ = "employer_codes"

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), unique=True)
    code: Mapped[str] = mapped_column(sa.String(12), unique=True)


class EmploymentState(Labelled):
    """Whether a unit has agreed that a citizen is one of its staff."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class Employment(Made, Model):
    """A citizen works for a unit, which has agreed, from one day and perhaps until another: so
    their orders may be credited to it (domain.md §1.2). One at a time.

    `name` and `remark` are what the unit knows the person by. Ending keeps the days: what was
    ordered before stays credited.
    """

    __tablename__ = "employments"
    __table_args__ = (
        sa.CheckConstraint(
            "(state IN ('confirmed', 'ended')) = (valid_from IS NOT NULL)", name="agreed"
        ),
        sa.CheckConstraint("(state = 'ended') = (valid_to IS NOT NULL)", name="ended"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
        sa.Index(
            "uq_employments_open",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state IN ('asked', 'confirmed')"),
            postgresql_where=sa.text("state IN ('asked', 'confirmed')"),
        ),
        sa.Index("ix_employments_of_organisation", "organisation_id", "state"),
    )

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    state: Mapped[EmploymentState]
    name: Mapped[str] = mapped_column(Sealed)
    remark: Mapped[str] = mapped_column(Sealed)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")

    organisation: Mapped[Organisation] = related()

    def holds_on(self, day: date) -> bool:
        """Whether what is ordered on that day may be credited."""
        agreed = self.valid_from is not None and self.valid_from <= day
        return agreed and (self.valid_to is None or day <= self.valid_to)

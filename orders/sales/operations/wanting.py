"""What somebody wants, before it is an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catalog.products.models import Pack
from catalog.products.rules.pricing import Quote
from kernel.money import ZERO, Money
from orders.sales.models import BuyerKind, Channel, DayPart, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where the parcel goes and whom the carrier calls. Kept sealed."""

    recipient: str
    phone: str
    address: str
    email: str | None = None
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One of the people a group purchase is sent to."""

    recipient: str
    phone: str
    address: str
    region: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """Who sends it, and what is wished."""

    sender: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One line as asked for: `count` packs, or `quantity` base units of a canteens' pack; `to` is
    the place of its recipient among `Placing.recipients`."""

    pack_id: int
    count: int | None = None
    quantity: int | None = None
    deliver_on: date | None = None
    deliver_to: str = ""
    note: str = ""
    to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Everything an order is placed with.

    `request_key` is made by whoever asks and makes asking twice harmless; `claimed`: the form that
    it was made from is claimed in this very transaction, so nobody can have asked before.
    `annual_cap` is the most that units may draw from one household this year; None is no cap, zero
    is not. `browser_codes` are orders this browser placed before: they count towards what one buyer
    may have, beside those of the same user and the same phone.
    """

    lines: Sequence[Wanted]
    buyer_kind: BuyerKind
    contact: Contact
    request_key: str
    state: OrderState
    claimed: bool = False
    hold_until: datetime | None = None
    user_id: int | None = None
    organisation_id: int | None = None
    supplier_id: int | None = None
    deliver_on: date | None = None
    note: str = ""
    locale: str = "zh"
    channel: Channel = Channel.PLATFORM
    external_no: str | None = None
    pick_up: bool = False
    no_return_agreed: bool | None = None
    # The employer that a citizen wants it credited to.
    credit_organisation_id: int | None = None
    discount: Money = ZERO
    annual_cap: Money | None = None
    # Kinds of buyer that price lists may be for, narrowest first; the organisation comes before.
    audiences: tuple[str, ...] = ()
    # A group purchase: each line says which of these it goes to.
    recipients: Sequence[Recipient] = ()
    day_part: DayPart | None = None
    gift: Gift | None = None
    browser_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be written: the wish, its pack, how many packs, and what they cost."""

    position: int
    wanted: Wanted
    pack: Pack
    count: int
    quote: Quote

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def quantity(self) -> int:
        return self.pack.content * self.count

    def values(self, rule_id: int, recipients: Sequence[int] = ()) -> dict[str, Any]:
        """The row; `recipients` are the keys of `Placing.recipients`, in their order."""
        product = self.pack.product
        return {
            "position": self.position,
            "product_id": product.id,
            "pack_id": self.pack.id,
            "supplier_id": product.supplier_id,
            "rule_id": rule_id,
            "name_zh": product.name_zh,
            "name_en": product.name_en,
            "pack_zh": self.pack.name_zh,
            "pack_en": self.pack.name_en,
            "grade": self.pack.grade,
            "count": self.count,
            "quantity": self.quantity,
            "pack_price": self.quote.price,
            "unit_price": None if self.quote.price is not None else self.quote.unit_price,
            "price_list_id": self.quote.list_id,
            "amount": self.amount,
            "deliver_on": self.wanted.deliver_on,
            "deliver_to": self.wanted.deliver_to,
            "note": self.wanted.note,
            "recipient_id": None if self.wanted.to is None else recipients[self.wanted.to],
        }

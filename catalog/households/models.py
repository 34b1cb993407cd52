"""Households, their members, accounts, plots, official status, consents and helpers."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.crypto import Sealed
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.people import User


class Household(Made, Model):
    """One family that grows what we sell. Its code is random, so that it says nothing."""

    __tablename__ = "households"

    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    region_code: Mapped[str] = mapped_column(sa.String(12), index=True)
    group_no: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(40))
    pinyin: Mapped[str] = mapped_column(sa.String(120), index=True)
    initials: Mapped[str] = mapped_column(sa.String(20), index=True)
    people: Mapped[int]
    phone: Mapped[str | None] = mapped_column(Sealed)
    phone_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)

    members: Mapped[list[HouseholdMember]] = related(back_populates="household")
    accounts: Mapped[list[PayoutAccount]] = related(back_populates="household")
    statuses: Mapped[list[HouseholdStatus]] = related(back_populates="household")
    consents: Mapped[list[Consent]] = related(back_populates="household")


class Sex(Labelled):
    FEMALE = "female"
    MALE = "male"


class HouseholdMember(Made, Model):
    __tablename__ = "household_members"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    relation: Mapped[str] = mapped_column(sa.String(20))
    sex: Mapped[Sex]
    identity: Mapped[str | None] = mapped_column(Sealed)
    identity_hash: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    is_head: Mapped[bool] = mapped_column(default=False)
    can_work: Mapped[bool] = mapped_column(default=True)

    household: Mapped[Household] = related(back_populates="members")


class MonitorType(Labelled):
    """防返贫监测对象 (domain.md §5.1)."""

    NONE = "none"
    UNSTABLE = "unstable"
    MARGINAL = "marginal"
    SUDDEN = "sudden"


class RiskStatus(Labelled):
    NONE = "none"
    OPEN = "open"
    RESOLVED = "resolved"


class HouseholdStatus(Made, Model):
    """The official status, imported with its source and date; never set here, never derived."""

    __tablename__ = "household_statuses"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("monitor_type <> 'unstable' OR lifted", name="unstable_was_lifted"),
        sa.CheckConstraint("monitor_type <> 'marginal' OR NOT lifted", name="marginal_was_not"),
        sa.UniqueConstraint("household_id", "as_of", "source"),
    )

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    lifted: Mapped[bool]
    monitor_type: Mapped[MonitorType]
    risk_status: Mapped[RiskStatus]
    as_of: Mapped[date]
    source: Mapped[str] = mapped_column(sa.String(120))

    household: Mapped[Household] = related(back_populates="statuses")


class PayoutAccount(Made, Model):
    """Where a household is paid. Exactly one is open at a time; old ones stay."""

    __tablename__ = "payout_accounts"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    holder: Mapped[str] = mapped_column(sa.String(40))
    bank: Mapped[str] = mapped_column(sa.String(60))
    number: Mapped[str] = mapped_column(Sealed)
    number_hash: Mapped[str] = mapped_column(sa.String(64), index=True)
    last4: Mapped[str] = mapped_column(sa.String(4))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    proof: Mapped[str] = mapped_column(sa.String(120))

    household: Mapped[Household] = related(back_populates="accounts")


class Plot(Made, Model):
    """A field: its area in hundredths of a mu and the crop (product code) of one year."""

    __tablename__ = "plots"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    place: Mapped[str] = mapped_column(sa.String(60))
    area_mu_100: Mapped[int]
    crop: Mapped[str] = mapped_column(sa.String(8), index=True)
    year: Mapped[int]


class ConsentPurpose(Labelled):
    ALIAS = "alias"
    PHOTO = "photo"
    STORY = "story"


class Consent(Made, Model):
    """What a household allows to be shown in public, until it takes that back."""

    __tablename__ = "consents"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    purpose: Mapped[ConsentPurpose]
    content: Mapped[str] = mapped_column(sa.Text)
    given_on: Mapped[date]
    withdrawn_on: Mapped[date | None]

    household: Mapped[Household] = related(back_populates="consents")


class HelperAssignment(Made, Model):
    """帮扶责任人: one per household at a time, with history."""

    __tablename__ = "helper_assignments"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    household: Mapped[Household] = related()
    user: Mapped[User] = related(foreign_keys=[user_id])

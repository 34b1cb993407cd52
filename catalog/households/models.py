"""Households, their members, accounts, plots, official status, consents, helpers, and who read
what in clear."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Role
from kernel.crypto import Sealed
from kernel.db import Made, Model, added, related
from kernel.labels import Labelled
from kernel.people import Organisation, User
from kernel.storage import StoredFile


class Household(Made, Model):
    """One family that grows what we sell. Its code is random, so that it says nothing.

    `organisation_id` is whoever entered it: a cooperative reads by name what it entered itself.
    """

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
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisations.id"), info=added(None)
    )

    members: Mapped[list[HouseholdMember]] = related(back_populates="household")
    accounts: Mapped[list[PayoutAccount]] = related(back_populates="household")
    statuses: Mapped[list[HouseholdStatus]] = related(back_populates="household")
    consents: Mapped[list[Consent]] = related(back_populates="household")


class Sex(Labelled):
    FEMALE = "female"
    MALE = "male"


# Of the people who live there now: who left may belong to another household.
_PRESENT = sa.text("left_on IS NULL")


class HouseholdMember(Made, Model):
    """Somebody of the family. Who left stays in the books with the day; nobody is deleted."""

    __tablename__ = "household_members"
    __table_args__ = (
        sa.Index(
            "uq_household_members_present_identity", "identity_hash", unique=True,
            sqlite_where=_PRESENT, postgresql_where=_PRESENT,
        ),
        sa.CheckConstraint("left_on IS NULL OR NOT is_head", name="who_left_heads_nothing"),
    )  # fmt: skip

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    relation: Mapped[str] = mapped_column(sa.String(20))
    sex: Mapped[Sex]
    identity: Mapped[str | None] = mapped_column(Sealed)
    identity_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    is_head: Mapped[bool] = mapped_column(default=False)
    can_work: Mapped[bool] = mapped_column(default=True)
    left_on: Mapped[date | None] = mapped_column(info=added(None))
    left_why: Mapped[str | None] = mapped_column(sa.String(120), info=added(None))

    household: Mapped[Household] = related(back_populates="members")


class MonitorType(Labelled):
    """防返贫监测对象 (domain.md §5.1)."""

    NONE = "none"
    UNSTABLE = "unstable"
    MARGINAL = "marginal"
    SUDDEN = "sudden"


class RiskStatus(Labelled):
    """风险未消除, 稳定消除, 自然消除; RESOLVED is for sources that do not say which."""

    NONE = "none"
    OPEN = "open"
    RESOLVED = "resolved"
    RESOLVED_STEADILY = "resolved_steadily"
    RESOLVED_NATURALLY = "resolved_naturally"


class HouseholdStatus(Made, Model):
    """The official status, imported with its source and date; never set here, never derived."""

    __tablename__ = "household_statuses"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("monitor_type <> 'unstable' OR lifted", name="unstable_was_lifted"),
        sa.CheckConstraint("monitor_type <> 'marginal' OR NOT lifted", name="marginal_was_not"),
        sa.CheckConstraint("trim(source) <> ''", name="has_a_source"),
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
    """A field: its area in hundredths of a mu and the crop (product code) of one year.

    A retired one stays readable and counts for nothing.
    """

    __tablename__ = "plots"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    place: Mapped[str] = mapped_column(sa.String(60))
    area_mu_100: Mapped[int]
    crop: Mapped[str] = mapped_column(sa.String(8), index=True)
    year: Mapped[int]
    retired_on: Mapped[date | None] = mapped_column(info=added(None))
    retired_why: Mapped[str | None] = mapped_column(sa.String(120), info=added(None))


class ConsentPurpose(Labelled):
    ALIAS = "alias"
    PHOTO = "photo"
    STORY = "story"


class ConsentScope(Labelled):
    """Where it may be shown: on the pages of this house, or also on what is printed."""

    WEBSITE = "website"
    PRINT = "print"


class Consent(Made, Model):
    """What a household allows to be shown in public, until it takes that back.

    `evidence` is the signed paper; `picture` what a consent to a photo is about. A picture is
    found in public by the hash of its bytes, and only while the consent stands. Consents from
    before scopes were written down are for the website.
    """

    __tablename__ = "consents"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    purpose: Mapped[ConsentPurpose]
    content: Mapped[str] = mapped_column(sa.Text)
    given_on: Mapped[date]
    withdrawn_on: Mapped[date | None]
    scope: Mapped[ConsentScope | None] = mapped_column(info=added(None))
    evidence_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("stored_files.id"), info=added(None)
    )
    picture_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("stored_files.id"), index=True, info=added(None)
    )
    withdrawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), info=added(None))

    household: Mapped[Household] = related(back_populates="consents")
    evidence: Mapped[StoredFile | None] = related(foreign_keys=[evidence_id])
    picture: Mapped[StoredFile | None] = related(foreign_keys=[picture_id])


_OPEN = sa.text("valid_to IS NULL")


class HelperAssignment(Made, Model):
    """帮扶责任人: one per household at a time, with history."""

    __tablename__ = "helper_assignments"
    __table_args__ = (
        sa.Index(
            "uq_helper_assignments_open", "household_id", unique=True,
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name="ends_after_it_began"
        ),
    )  # fmt: skip

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    household: Mapped[Household] = related()
    user: Mapped[User] = related(foreign_keys=[user_id])


class Reveal(Made, Model):
    """Somebody read a masked detail in clear, and said why (domain.md §5.5). Never the detail."""

    __tablename__ = "reveals"
    __append_only__ = True
    __table_args__ = (sa.Index("ix_reveals_who", "made_by_id", "made_at"),)

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("household_members.id"))
    detail: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[Role | None]
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))

    household: Mapped[Household] = related()
    member: Mapped[HouseholdMember | None] = related()
    reader: Mapped[User | None] = related(foreign_keys="Reveal.made_by_id")
    organisation: Mapped[Organisation | None] = related()

"""Users, organisations, and who does what where.

A role is always (user, role, organisation): no role carries its place inside itself. An official's
scope is the region of the organisation.
"""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Role
from kernel.crypto import Sealed
from kernel.db import Made, Model, added, related
from kernel.labels import Labelled


class OrganisationKind(Labelled):
    UNIT = "unit"
    SUPPLIER = "supplier"
    GOVERNMENT = "government"
    PLATFORM = "platform"


class Organisation(Made, Model):
    """A legal body: budget unit, supplier, department, township government, or ourselves.

    `parent_id` is the supervising body (主管部门); the region is the other, independent tree.
    """

    __tablename__ = "organisations"

    name: Mapped[str] = mapped_column(sa.String(120), index=True)
    short_name: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[OrganisationKind]
    uscc: Mapped[str | None] = mapped_column(sa.String(18), unique=True)
    region_code: Mapped[str] = mapped_column(sa.String(12), index=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    sensitive: Mapped[bool] = mapped_column(default=False)

    parent: Mapped[Organisation | None] = related(remote_side="Organisation.id")


class TextSize(Labelled):
    NORMAL = "normal"
    LARGE = "large"
    LARGEST = "largest"


class User(Made, Model):
    """A person who signs in. Flask-Login's four attributes are written by hand, so that the
    models stay free of Flask.

    A person who leaves is not deleted: the row stays, so that what was signed or bought keeps its
    number, and nothing personal stands in it any more (`closed_at`).
    """

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(sa.String(5), default="zh")
    text_size: Mapped[TextSize] = mapped_column(default=TextSize.NORMAL)
    # When a code sent to the address came back; None: nobody has shown that it is theirs.
    email_proven_at: Mapped[datetime | None] = mapped_column(info=added(None))
    # The person asked to leave: nothing personal is left after that day.
    closing_on: Mapped[date | None] = mapped_column(index=True, info=added(None))
    closed_at: Mapped[datetime | None] = mapped_column(info=added(None))

    memberships: Mapped[list[Membership]] = related(
        back_populates="user", foreign_keys="Membership.user_id"
    )

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return str(self.id)


class Membership(Made, Model):
    """This person does this work in that organisation, from one day and perhaps until another."""

    __tablename__ = "memberships"
    __table_args__ = (sa.UniqueConstraint("user_id", "role", "organisation_id", "valid_from"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    role: Mapped[Role]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    user: Mapped[User] = related(back_populates="memberships", foreign_keys=[user_id])
    organisation: Mapped[Organisation] = related()

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class SignIn(Model):
    """One signed-in browser. Revoking the row signs it out at its next request."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    membership_id: Mapped[int | None] = mapped_column(sa.ForeignKey("memberships.id"))
    begun_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(sa.String(200), default="")

    user: Mapped[User] = related()
    membership: Mapped[Membership | None] = related()


class SignInAttempt(Model):
    """Evidence: every attempt to sign in, right or wrong."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        sa.Index("ix_sign_in_attempts_who", "email_hash", "at"),
        sa.Index("ix_sign_in_attempts_where", "address", "at"),
    )

    email_hash: Mapped[str] = mapped_column(sa.String(64))
    address: Mapped[str] = mapped_column(sa.String(45))
    at: Mapped[datetime]
    succeeded: Mapped[bool]


class LinkPurpose(enum.Enum):
    SET_PASSWORD = "set_password"  # noqa: S105


class OneTimeLink(Model):
    """A link that works once, until it expires."""

    __tablename__ = "one_time_links"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    purpose: Mapped[LinkPurpose]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = related()


class MailCode(Model):
    """Six digits on their way to an address, for the browser that holds the token.

    Proves that the address is the visitor's, whoever that is: a known person signs in with it, an
    unknown one may open an account (`proven_at`). Forgotten after some days.
    """

    __tablename__ = "mail_codes"
    __audited__ = False
    __table_args__ = (
        sa.CheckConstraint("wrong >= 0", name="wrong_not_negative"),
        sa.Index("ix_mail_codes_who", "email_hash", "sent_at"),
        sa.Index("ix_mail_codes_where", "address", "sent_at"),
    )

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    email: Mapped[str] = mapped_column(Sealed)
    email_hash: Mapped[str] = mapped_column(sa.String(64))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    address: Mapped[str] = mapped_column(sa.String(45))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong: Mapped[int] = mapped_column(default=0)
    proven_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class Identity(Made, Model):
    """This person is known to that OpenID provider under this name of the provider's own."""

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(sa.String(200))
    subject: Mapped[str] = mapped_column(sa.String(255))

    user: Mapped[User] = related(foreign_keys=[user_id])

"""Signing in and out, one-time links, and the evidence of failed attempts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from config import Config
from kernel import audit
from kernel.actors import Actor, Role
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.passwords import LEAST_LENGTH, hash_password, password_matches
from kernel.people import (
    LinkPurpose,
    Membership,
    OneTimeLink,
    Organisation,
    SignIn,
    SignInAttempt,
    TextSize,
    User,
)
from kernel.periods import business_day

SIGNED_IN_FOR = timedelta(days=14)
LINK_WORKS_FOR = timedelta(days=3)
SAMPLE_ACCOUNTS = "@sutian.test"

# Failed attempts allowed within the window: for one account, and from one address.
WINDOW = timedelta(minutes=15)
MOST_PER_ACCOUNT = 5
MOST_PER_ADDRESS = 50


class TooManyAttempts(Refusal):
    """Wait; `seconds` says how long."""

    status = 429

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            Text(
                "Too many failed attempts. Please wait %(minutes)s minutes and try again.",
                minutes=-(-seconds // 60),
            )
        )


def find_sign_in(session: Session, token: str, *, now: datetime) -> SignIn | None:
    """The living sign-in of this token with user, membership and organisation, in one query."""
    day = business_day(now)
    return session.scalar(
        sa.select(SignIn)
        .join(SignIn.user)
        .outerjoin(
            Membership,
            sa.and_(
                Membership.id == SignIn.membership_id,
                Membership.user_id == SignIn.user_id,
                Membership.valid_from <= day,
                sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= day),
            ),
        )
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .options(
            contains_eager(SignIn.user),
            contains_eager(SignIn.membership).contains_eager(Membership.organisation),
        )
        .where(
            SignIn.token_hash == token_hash(token),
            SignIn.revoked_at.is_(None),
            SignIn.expires_at > now,
            User.active.is_(True),
        )
    )


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalar(
        sa.select(User).where(User.email == email.strip().lower(), User.active.is_(True))
    )


def find_user(session: Session, email: str, password: str, *, config: Config) -> User | None:
    """The active user with this password. Sample accounts do not exist in production."""
    user = user_by_email(session, email)
    if config.production and email.endswith(SAMPLE_ACCOUNTS):
        user = None
    kept = user.password_hash if user else None
    return user if password_matches(password, kept, fast=config.fast_passwords) else None


def memberships_of(session: Session, user_id: int, *, today: date) -> Sequence[Membership]:
    """What this person may act as today, with the organisations; oldest first."""
    return session.scalars(
        sa.select(Membership)
        .join(Membership.organisation)
        .options(contains_eager(Membership.organisation))
        .where(
            Membership.user_id == user_id,
            Membership.valid_from <= today,
            sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= today),
        )
        .order_by(Membership.id)
    ).all()


def find_people(
    session: Session, words: str, *, offset: int = 0, limit: int = 50
) -> Sequence[User]:
    """Accounts whose name or e-mail holds the words, with memberships and organisations."""
    people = sa.select(User).order_by(User.id).offset(offset).limit(limit)
    if words:
        people = people.where(
            sa.or_(
                User.name.icontains(words, autoescape=True),
                User.email.icontains(words, autoescape=True),
            )
        )
    organisations = selectinload(User.memberships).joinedload(Membership.organisation)
    return session.scalars(people.options(organisations)).all()


def begin_sign_in(
    session: Session, user: User, *, browser: str, by: Actor, now: datetime
) -> tuple[SignIn, str]:
    """A signed-in browser, acting as the person's first membership; the token is only told once."""
    token = secrets.token_urlsafe(32)
    memberships = memberships_of(session, user.id, today=business_day(now))
    sign_in = SignIn(
        token_hash=token_hash(token),
        user_id=user.id,
        membership_id=memberships[0].id if memberships else None,
        begun_at=now,
        expires_at=now + SIGNED_IN_FOR,
        browser=browser[:200],
    )
    session.add(sign_in)
    audit.note(session, "begin_sign_in", f"user:{user.id}", by=by, now=now)
    return sign_in, token


def act_as(
    session: Session, sign_in_id: int, membership_id: int, *, by: Actor, now: datetime
) -> Membership:
    """From now on this browser acts under another of the person's memberships."""
    allowed = memberships_of(session, by.user_id or 0, today=business_day(now))
    chosen = next((each for each in allowed if each.id == membership_id), None)
    if chosen is None:
        raise Missing("There is nothing at this address, or it is not yours.")
    get_or_missing(session, SignIn, sign_in_id).membership_id = membership_id
    audit.note(session, "act_as", f"membership:{membership_id}", by=by, now=now)
    return chosen


def end_sign_ins(
    session: Session,
    user_id: int,
    *,
    only: int | None = None,
    but: int | None = None,
    by: Actor,
    now: datetime,
) -> int:
    """Sign out every browser of this person, or one, or all but one; returns how many."""
    living = sa.select(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None))
    if only is not None:
        living = living.where(SignIn.id == only)
    if but is not None:
        living = living.where(SignIn.id != but)
    ended = session.scalars(living.order_by(SignIn.id)).all()
    for each in ended:
        each.revoked_at = now
    audit.note(session, "end_sign_ins", f"user:{user_id}", by=by, now=now, count=len(ended))
    return len(ended)


def living_sign_ins(session: Session, user_id: int, *, now: datetime) -> Sequence[SignIn]:
    """Where this person is signed in, newest first."""
    return session.scalars(
        sa.select(SignIn)
        .where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None), SignIn.expires_at > now)
        .order_by(SignIn.id.desc())
        .limit(50)
    ).all()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to sign in from where."""

    email: str
    address: str

    @property
    def email_hash(self) -> str:
        return keyed_hash(self.email)


def refuse_too_many(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Raises TooManyAttempts when this account or this address has failed too often lately."""
    since = now - WINDOW
    last_success = session.scalar(
        sa.select(sa.func.max(SignInAttempt.at)).where(
            SignInAttempt.email_hash == attempt.email_hash,
            SignInAttempt.succeeded.is_(True),
            SignInAttempt.at > since,
        )
    )
    for column, value, most, begin in (
        (SignInAttempt.email_hash, attempt.email_hash, MOST_PER_ACCOUNT, last_success or since),
        (SignInAttempt.address, attempt.address, MOST_PER_ADDRESS, since),
    ):
        failed = session.scalars(
            sa.select(SignInAttempt.at)
            .where(column == value, SignInAttempt.succeeded.is_(False), SignInAttempt.at > begin)
            .order_by(SignInAttempt.at.desc())
            .limit(most)
        ).all()
        if len(failed) >= most:
            raise TooManyAttempts(max(1, int((failed[-1] + WINDOW - now).total_seconds())))


def record_attempt(
    session: Session, attempt: Attempt, *, succeeded: bool, by: Actor, now: datetime
) -> None:
    session.add(
        SignInAttempt(
            email_hash=attempt.email_hash, address=attempt.address, at=now, succeeded=succeeded
        )
    )
    action = "sign_in_succeeded" if succeeded else "sign_in_failed"
    audit.note(session, action, f"attempt:{attempt.email_hash[:12]}", by=by, now=now)


def create_user(
    session: Session, *, email: str, name: str, locale: str = "zh", by: Actor, now: datetime
) -> User:
    """A person who can sign in once a password is set."""
    email = email.strip().lower()
    if session.scalar(sa.select(User.id).where(User.email == email)):
        raise Refusal("There is already an account for %(email)s.", email=email)
    user = User(email=email, name=name, locale=locale, **stamp(by, now))
    session.add(user)
    session.flush()  # so that the caller can speak of user.id
    audit.note(session, "create_user", f"user:{user.id}", by=by, now=now)
    return user


def add_membership(
    session: Session,
    user_id: int,
    *,
    organisation_id: int,
    role: Role,
    valid_from: date,
    by: Actor,
    now: datetime,
) -> Membership:
    """From a day on this person does this work there."""
    membership = Membership(
        user_id=user_id,
        organisation_id=organisation_id,
        role=role,
        valid_from=valid_from,
        **stamp(by, now),
    )
    session.add(membership)
    session.flush()  # so that the caller can speak of membership.id
    audit.note(session, "add_membership", f"membership:{membership.id}", by=by, now=now)
    return membership


def keep_reading_settings(
    session: Session,
    *,
    locale: str | None = None,
    text_size: TextSize | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """The acting person reads so on every browser that was told nothing else."""
    user = get_or_missing(session, User, by.user_id)
    user.locale = locale or user.locale
    user.text_size = text_size or user.text_size
    audit.note(session, "keep_reading_settings", f"user:{user.id}", by=by, now=now)


def offer_password_link(session: Session, user_id: int, *, by: Actor, now: datetime) -> str:
    """The token of a link that lets this person set a password, once, for some days."""
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            token_hash=token_hash(token),
            purpose=LinkPurpose.SET_PASSWORD,
            user_id=user_id,
            expires_at=now + LINK_WORKS_FOR,
        )
    )
    audit.note(session, "offer_password_link", f"user:{user_id}", by=by, now=now)
    return token


def find_link(session: Session, token: str, *, now: datetime) -> OneTimeLink:
    """The living link of this token with its user; Missing when it was used or is too old."""
    link = session.scalar(
        sa.select(OneTimeLink)
        .options(joinedload(OneTimeLink.user, innerjoin=True))
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    )
    if link is None:
        raise Missing("This link was used already or is too old. Please ask for a new one.")
    return link


def set_password(
    session: Session, token: str, password: str, *, fast: bool, by: Actor, now: datetime
) -> User:
    """The link is used up, the password is new, and every browser is signed out."""
    link = find_link(session, token, now=now)
    user = session.get_one(User, link.user_id, with_for_update=True, populate_existing=True)
    session.refresh(link, with_for_update=True)
    if link.used_at is not None:
        raise Missing("This link was used already or is too old. Please ask for a new one.")
    if problem := password_problem(password, user.email):
        raise Invalid({"password": problem})
    link.used_at = now
    user.password_hash = hash_password(password, fast=fast)
    end_sign_ins(session, user.id, by=by, now=now)
    audit.note(session, "set_password", f"user:{user.id}", by=by, now=now)
    return user


def password_problem(password: str, email: str) -> Text | None:
    """Why this is no password to keep, or None. Length matters; kinds of characters do not."""
    if len(password) < LEAST_LENGTH:
        return Text("A password has at least %(n)s characters.", n=LEAST_LENGTH)
    if len(password) > 200:
        return Text("A password has at most %(n)s characters.", n=200)
    if email.partition("@")[0].lower() in password.lower() or len(set(password)) < 5:
        return Text("This password is too easy to guess.")
    return None


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

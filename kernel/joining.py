"""Citizens open an account, keep it up to date, and leave.

An account is opened only for an address that was proven (`kernel.proving`, or an OpenID provider
that vouches for it), so what hangs on the address — earlier orders — is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.passwords import hash_password
from kernel.people import Identity, MailCode, OneTimeLink, SignIn, User
from kernel.periods import business_day
from kernel.signing_in import create_user, end_sign_ins, memberships_of, password_problem

# Between asking to leave and being forgotten: time to think again.
TO_THINK_AGAIN = timedelta(days=30)


def join(
    session: Session,
    proof: MailCode,
    *,
    name: str,
    password: str = "",
    locale: str = "zh",
    fast: bool = False,
    by: Actor,
    now: datetime,
) -> User:
    """An account for the proven address, with a password if one is given; the proof is used up."""
    if password and (problem := password_problem(password, proof.email)):
        raise Invalid({"password": problem})
    user = create_user(session, email=proof.email, name=name, locale=locale, by=by, now=now)
    user.email_proven_at = proof.proven_at
    if password:
        user.password_hash = hash_password(password, fast=fast)
    proof.used_at = now
    return user


def enter(session: Session, proof: MailCode, user: User, *, by: Actor, now: datetime) -> None:
    """A known person has shown that the address of their account is theirs."""
    proof.used_at = now
    user = get_or_missing(session, User, user.id)
    if user.email_proven_at is None:
        user.email_proven_at = proof.proven_at
        audit.note(session, "prove_email", f"user:{user.id}", by=by, now=now)


def rename(session: Session, user_id: int, name: str, *, by: Actor, now: datetime) -> None:
    """What we call this person."""
    get_or_missing(session, User, user_id).name = name
    audit.note(session, "rename", f"user:{user_id}", by=by, now=now)


def move_to_address(
    session: Session, user_id: int, proof: MailCode, *, by: Actor, now: datetime
) -> str | None:
    """The proven address is this person's from now on; answers the one before if it was another.

    Whoever proves the address they have already has proven it, and nothing else changes.
    """
    user = get_or_missing(session, User, user_id, lock=True)
    taken = session.scalar(sa.select(User.id).where(User.email == proof.email, User.id != user.id))
    if taken is not None:
        raise Refusal("Another account has this address. Sign in there, or choose another one.")
    before = user.email
    user.email, user.email_proven_at, proof.used_at = proof.email, proof.proven_at, now
    audit.note(session, "move_to_address", f"user:{user.id}", by=by, now=now)
    return before if before != proof.email else None


def set_own_password(
    session: Session, user_id: int, password: str, *, fast: bool, by: Actor, now: datetime
) -> None:
    """A first or another password; who asks has shown who they are."""
    user = get_or_missing(session, User, user_id, lock=True)
    if problem := password_problem(password, user.email):
        raise Invalid({"password": problem})
    user.password_hash = hash_password(password, fast=fast)
    audit.note(session, "set_own_password", f"user:{user.id}", by=by, now=now)


# --- known elsewhere -----------------------------------------------------------------------------


def user_known_as(session: Session, issuer: str, subject: str) -> User | None:
    """Whom that provider means; nobody who has left."""
    return session.scalar(
        sa.select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == issuer, Identity.subject == subject, User.active.is_(True))
    )


def join_known(
    session: Session,
    *,
    issuer: str,
    subject: str,
    email: str,
    name: str,
    locale: str,
    by: Actor,
    now: datetime,
) -> User:
    """An account for somebody whose address the provider has verified."""
    user = create_user(session, email=email, name=name, locale=locale, by=by, now=now)
    user.email_proven_at = now
    know_as(session, user.id, issuer, subject, by=by, now=now)
    return user


def identities_of(session: Session, user_id: int) -> Sequence[Identity]:
    return session.scalars(
        sa.select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)
    ).all()


def know_as(
    session: Session, user_id: int, issuer: str, subject: str, *, by: Actor, now: datetime
) -> None:
    """From now on the provider's word signs this person in."""
    known = session.scalar(
        sa.select(Identity).where(Identity.issuer == issuer, Identity.subject == subject)
    )
    if known is not None:
        if known.user_id == user_id:
            return
        raise Refusal("Somebody else's account is connected with this already.")
    session.add(Identity(user_id=user_id, issuer=issuer, subject=subject, **stamp(by, now)))
    session.flush()
    audit.note(session, "know_as", f"user:{user_id}", by=by, now=now)


def forget_identity(
    session: Session, user_id: int, identity_id: int, *, by: Actor, now: datetime
) -> None:
    """The provider's word signs this person in no longer. Forgetting twice changes nothing."""
    found = session.scalar(
        sa.select(Identity).where(Identity.id == identity_id, Identity.user_id == user_id)
    )
    if found is not None:
        session.delete(found)
        audit.note(session, "forget_identity", f"user:{user_id}", by=by, now=now)


# --- leaving -------------------------------------------------------------------------------------


def ask_to_leave(session: Session, user_id: int, *, by: Actor, now: datetime) -> date:
    """The day on which the account is closed; until then it works, and staying is one button."""
    user = get_or_missing(session, User, user_id, lock=True)
    refuse_at_work(session, user_id, business_day(now))
    if user.closing_on is None:
        user.closing_on = business_day(now + TO_THINK_AGAIN)
        audit.note(session, "ask_to_leave", f"user:{user.id}", by=by, now=now)
    return user.closing_on


def stay(session: Session, user_id: int, *, by: Actor, now: datetime) -> None:
    """The person thought again."""
    user = get_or_missing(session, User, user_id, lock=True)
    if user.closing_on is not None and user.closed_at is None:
        user.closing_on = None
        audit.note(session, "stay", f"user:{user.id}", by=by, now=now)


def refuse_at_work(session: Session, user_id: int, today: date) -> None:
    """Who acts for an organisation cannot leave before it lets them go."""
    places = {each.organisation.name for each in memberships_of(session, user_id, today=today)}
    if places:
        raise Refusal(
            "You act for others here; they must end that first.",
            tuple(Text("%(place)s", place=place) for place in sorted(places)),
        )


def due_to_leave(session: Session, *, today: date, limit: int = 200) -> Sequence[int]:
    """People whose time to think again is over."""
    return session.scalars(
        sa.select(User.id)
        .where(User.closing_on <= today, User.closed_at.is_(None))
        .order_by(User.closing_on, User.id)
        .limit(limit)
    ).all()


def forget_person(session: Session, user: User, *, by: Actor, now: datetime) -> None:
    """Name, address, password, browsers and providers of the person are gone for good; the row and
    its number stay, because what was bought and signed points to it. The row is locked."""
    end_sign_ins(session, user.id, by=by, now=now)
    for browser in session.scalars(sa.select(SignIn).where(SignIn.user_id == user.id)):
        browser.browser = ""
    for link in session.scalars(sa.select(OneTimeLink).where(OneTimeLink.user_id == user.id)):
        link.used_at = link.used_at or now
    for identity in identities_of(session, user.id):
        session.delete(identity)
    session.execute(
        sa.delete(MailCode).where(MailCode.email_hash == keyed_hash(user.email)),
        execution_options={"synchronize_session": False},
    )
    user.email, user.name = f"closed-{user.id}@account.invalid", ""
    user.password_hash, user.email_proven_at = None, None
    user.active, user.closed_at = False, now
    session.flush()
    audit.note(session, "forget_person", f"user:{user.id}", by=by, now=now)

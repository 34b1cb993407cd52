"""「我有疑问」: what a household questions, and the answer it must get."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy
from orders.payouts.models import Objection, ObjectionState
from orders.payouts.rules.deadlines import answer_due

MOST = 500


def raise_objection(
    session: Session, household_id: int, *, text: str, by: Actor, now: datetime
) -> Objection:
    """Asked by the household or whoever helps it. The same words, while they are unanswered, are
    the same objection."""
    words = _words(text, "text")
    get_or_missing(session, Household, household_id, lock=True)
    known = session.scalar(
        sa.select(Objection).where(
            Objection.household_id == household_id,
            Objection.text == words,
            Objection.state == ObjectionState.OPEN,
        )
    )
    if known is not None:
        return known
    objection = Objection(
        household_id=household_id,
        text=words,
        due_on=answer_due(business_day(now)),
        state=ObjectionState.OPEN,
        answer="",
        answered_at=None,
        **stamp(by, now),
    )
    session.add(objection)
    session.flush()  # so that the note can name objection.id
    audit.note(session, "raise_objection", f"objection:{objection.id}", by=by, now=now)
    return objection


def answer_objection(
    session: Session, objection_id: int, *, answer: str, by: Actor, now: datetime
) -> Objection:
    """Answered once; not by whoever asked. The caller has checked that it is theirs to answer."""
    words = _words(answer, "answer")
    objection = get_or_missing(session, Objection, objection_id, lock=True)
    if objection.state is ObjectionState.ANSWERED:
        if objection.answer == words:
            return objection
        raise Refusal("This question was answered before.")
    if by.user_id is not None and by.user_id == objection.made_by_id:
        raise Refusal("You asked this yourself; somebody else must answer.")
    objection.state, objection.answer, objection.answered_at = ObjectionState.ANSWERED, words, now
    session.flush()
    audit.note(session, "answer_objection", f"objection:{objection.id}", by=by, now=now)
    return objection


def _words(text: str, field: str) -> str:
    words = tidy(text)
    if not words:
        raise Invalid({field: Text("Please fill this in.")})
    if len(words) > MOST:
        raise Invalid(
            {field: Text("At most %(most)s characters; this has %(n)s.", most=MOST, n=len(words))}
        )
    return words

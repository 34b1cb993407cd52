"""What a buyer says of a thing that has arrived. Nobody can take it back, nobody can delete it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.text import tidy
from orders.sales.models import BuyerKind, OrderLine, OrderState, Review

HAS_IT = (OrderState.RECEIVED, OrderState.COMPLETED)
MOST = 1000


def review_line(
    session: Session,
    line_id: int,
    *,
    stars: int,
    text: str = "",
    place: str = "",
    by: Actor,
    now: datetime,
) -> Review:
    """Stars and words for one line of a citizen's order that was received (电商法 §39).

    A line is reviewed once; saying the same again changes nothing.
    """
    line = session.scalar(
        sa.select(OrderLine)
        .where(OrderLine.id == line_id)
        .options(joinedload(OrderLine.order))
        .with_for_update(of=OrderLine, key_share=True)
    )
    if line is None or line.order.buyer_kind is not BuyerKind.CITIZEN:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    words = tidy(text)
    if not 1 <= stars <= 5:
        raise Invalid({"stars": Text("Give one to five stars.")})
    if len(words) > MOST:
        raise Invalid({"text": Text("At most %(most)s characters.", most=MOST)})
    known = session.scalar(sa.select(Review).where(Review.subject == f"line:{line_id}"))
    if known is not None:
        if (known.stars, known.text) == (stars, words):
            return known
        raise Refusal("You have reviewed this already.")
    if line.order.state not in HAS_IT:
        raise Refusal("Only what has arrived can be reviewed.")
    review = Review(
        order_id=line.order_id,
        line_id=line.id,
        product_id=line.product_id,
        subject=f"line:{line.id}",
        stars=stars,
        text=words,
        place=tidy(place)[:40],
        **stamp(by, now),
    )
    session.add(review)
    session.flush()  # the unique subject is checked here and now
    audit.note(session, "review_line", f"order:{line.order_id}", by=by, now=now, stars=stars)
    return review

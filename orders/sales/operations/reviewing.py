"""What a buyer says of a thing that has arrived, what the cooperative answers, and what is covered.

Nobody can take a letter back, nobody can delete it (电商法 §39).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.pictures import Rendered, keep_picture, sizes
from kernel.text import tidy
from orders.sales.models import BuyerKind, OrderLine, OrderState, Review

HAS_IT = (OrderState.RECEIVED, OrderState.COMPLETED)
MOST = 1000
MOST_PHOTOS = 4
MOST_REPLY = 500
MOST_REASON = 200


def review_line(
    session: Session,
    line_id: int,
    *,
    stars: int,
    text: str = "",
    place: str = "",
    photos: Sequence[Rendered] = (),
    by: Actor,
    now: datetime,
) -> Review:
    """Stars, words and photos for one line of a citizen's order that was received (电商法 §39).

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
    if len(photos) > MOST_PHOTOS:
        raise Invalid({"photos": Text("At most %(most)s photos.", most=MOST_PHOTOS)})
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
        photos=[_kept(session, each, by, now) for each in photos],
        **stamp(by, now),
    )
    session.add(review)
    session.flush()  # the unique subject is checked here and now
    audit.note(session, "review_line", f"order:{line.order_id}", by=by, now=now, stars=stars)
    return review


def _kept(session: Session, rendered: Rendered, by: Actor, now: datetime) -> dict[str, object]:
    """A photo as `Review.photos` holds it."""
    picture = keep_picture(session, rendered, by=by, now=now)
    return {"id": picture.id, "sizes": [list(each) for each in sizes(picture.renditions)]}


def reply_to_review(
    session: Session, review_id: int, *, supplier_id: int, text: str, by: Actor, now: datetime
) -> Review:
    """What the cooperative says to a letter about its product. It may be put better later."""
    review = _of_product(session, review_id)
    product = session.get_one(Product, review.product_id)
    if product.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    words = tidy(text)
    if not words:
        raise Invalid({"reply": Text("Please fill this in.")})
    if len(words) > MOST_REPLY:
        raise Invalid({"reply": Text("At most %(most)s characters.", most=MOST_REPLY)})
    if review.covered:
        raise Refusal("The platform has covered this letter; there is nothing to answer.")
    if review.reply != words:
        review.reply = words
        session.flush()
        audit.note(session, "reply_to_review", f"order:{review.order_id}", by=by, now=now)
    return review


def cover_review(
    session: Session, review_id: int, *, reason: str, by: Actor, now: datetime
) -> Review:
    """Its words and photos are not shown any more, the reason is. The stars go on counting: nobody
    improves a mean by covering."""
    review = _of_product(session, review_id)
    words = tidy(reason)
    if not words:
        raise Invalid({"reason": Text("Say why; everybody reads it in place of the letter.")})
    if len(words) > MOST_REASON:
        raise Invalid({"reason": Text("At most %(most)s characters.", most=MOST_REASON)})
    if review.covered != words:
        review.covered = words
        session.flush()
        audit.note(
            session, "cover_review", f"order:{review.order_id}", by=by, now=now, reason=words
        )
    return review


def uncover_review(session: Session, review_id: int, *, by: Actor, now: datetime) -> Review:
    """The letter is shown again as it was written."""
    review = _of_product(session, review_id)
    if review.covered:
        review.covered = ""
        session.flush()
        audit.note(session, "uncover_review", f"order:{review.order_id}", by=by, now=now)
    return review


def _of_product(session: Session, review_id: int) -> Review:
    """A letter about a product, locked; a canteen's review of a whole order is none."""
    review = get_or_missing(session, Review, review_id, lock=True)
    if review.product_id is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return review

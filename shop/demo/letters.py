"""The cooperative answers letters that are no praise, two days later."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kernel.actors import Role
from orders.sales.models import Review
from orders.sales.operations import reply_to_review
from shop.demo.town import Town

PRAISE = 4
SAID = {
    2: "等久了，对不住。现在页面上写明哪天发出、哪天前送到，来不及的不接单。",
    3: "收到照片当天就退了裂的那一个，从下一批起箱底加一层隔板。",
    4: "谢谢您说实话，发货晚的那天山路塌方，五块钱是我们该退的。",
}


def plan_answer(town: Town, review: Review, supplier: str, now: datetime) -> None:
    """Nothing to say to praise; one of the letters with four points complains of a late parcel."""
    complains = review.stars < PRAISE or "晚到" in review.text
    if complains:
        town.plan(now + timedelta(days=2), _answer, town, review.id, supplier, review.stars)


def _answer(
    town: Town, review_id: int, supplier: str, stars: int, session: Session, now: datetime
) -> None:
    reply_to_review(
        session, review_id, supplier_id=town.suppliers[supplier], text=SAID[max(2, stars)],
        by=town.actor(supplier, Role.MANAGER), now=now,
    )  # fmt: skip

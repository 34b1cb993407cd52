"""What must always be true of weigh slips and the prices they were bought at."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import (
    Contribution,
    MoveKind,
    OfflineSlip,
    ReviewReason,
    SlipReview,
    SlipState,
    StockMove,
    WeighSlip,
)
from catalog.lots.models.papers import AdjustmentState
from catalog.lots.models.reversals import SlipReversal
from catalog.products.models import PurchasePrice
from kernel.checks import Check, Difference, rows_of
from kernel.db import sum_whole
from kernel.errors import Text
from kernel.money import ZERO
from kernel.periods import business_day
from kernel.quantities import BaseUnit


def _slips_add_up(session: Session) -> Iterator[Difference]:
    rows = session.execute(
        sa.select(WeighSlip, PurchasePrice, Contribution, SlipReview)
        .join(PurchasePrice, PurchasePrice.id == WeighSlip.purchase_price_id)
        .outerjoin(SlipReview, SlipReview.slip_id == WeighSlip.id)
        .outerjoin(Contribution, Contribution.id == WeighSlip.contribution_id)
        .order_by(WeighSlip.id)
        .execution_options(yield_per=1000)
    )
    for slip, price, part, review in rows:
        for sentence in _slip_problems(slip, price, part, review):
            yield Difference(f"slip:{slip.id}", sentence)
        session.expunge(slip)


def _slip_problems(
    slip: WeighSlip, price: PurchasePrice, part: Contribution | None, review: SlipReview | None
) -> Iterator[Text]:
    net = rules.net_weight(slip.gross_g, slip.tare_g, slip.deduction_bp)
    if slip.net_g != net:
        yield Text("net %(net)s g, its weights say %(right)s g", net=slip.net_g, right=net)
    if slip.amount != (right := slip.price.of(slip.net_g, BaseUnit.GRAM)):
        yield Text("amount %(amount)s, its price says %(right)s", amount=slip.amount, right=right)
    day = business_day(slip.weighed_at)
    in_force = price.valid_from <= day and (price.valid_to is None or day <= price.valid_to)
    asked = review is not None and ReviewReason.PRICE in review.why
    if (slip.product_id, slip.grade) != (price.product_id, price.grade) or (
        slip.price != price.price and not asked
    ):
        yield Text("not at the published price")
    elif not in_force:
        yield Text("at a price that was not in force on %(day)s", day=day)
    taken_in = slip.state in (SlipState.TAKEN_IN, SlipState.REVERSED)
    if taken_in != (part is not None):
        yield Text("its state and its contribution disagree")
    elif part is not None and not _same_goods(slip, part):
        yield Text("its contribution says something else")
    elif part is not None and (part.reversed_at is not None) != (slip.state is SlipState.REVERSED):
        yield Text("reversed, but its part of the lot is still there, or the other way round")


def _same_goods(slip: WeighSlip, part: Contribution) -> bool:
    """Goods on consignment enter at no cost: their household is paid when they are sold."""
    same = (part.household_id, part.quantity) == (slip.household_id, slip.net_g)
    return same and part.cost in (slip.amount, ZERO)


def _two_people(session: Session) -> Iterator[Difference]:
    rows = session.scalars(
        sa.select(WeighSlip.id)
        .where(WeighSlip.taken_in_by_id == WeighSlip.made_by_id)
        .order_by(WeighSlip.id)
    )
    for key in rows:
        yield Difference(f"slip:{key}", Text("weighed and taken in by the same person"))


def _reviews_are_kept(session: Session) -> Iterator[Difference]:
    """Doubtful goods enter the store only when somebody else than the weigher approved them."""
    rows = session.execute(
        sa.select(WeighSlip.id, SlipReview.approved_at)
        .join(SlipReview, SlipReview.slip_id == WeighSlip.id)
        .where(
            sa.or_(
                sa.and_(WeighSlip.state == SlipState.TAKEN_IN, SlipReview.approved_at.is_(None)),
                SlipReview.approved_by_id.in_((WeighSlip.made_by_id, SlipReview.made_by_id)),
            )
        )
        .order_by(WeighSlip.id)
    )
    for key, approved_at in rows:
        yield Difference(
            f"slip:{key}",
            Text("approved by its own weigher") if approved_at else Text("taken in unreviewed"),
        )


def _offline_slips_are_theirs(session: Session) -> Iterator[Difference]:
    """What a phone sent is the slip that carries its number."""
    rows = session.execute(
        sa.select(OfflineSlip.id)
        .join(WeighSlip, WeighSlip.id == OfflineSlip.slip_id)
        .where(
            sa.or_(
                OfflineSlip.device != WeighSlip.device,
                OfflineSlip.device_seq != WeighSlip.device_seq,
                OfflineSlip.supplier_id != WeighSlip.supplier_id,
                OfflineSlip.weighed_at != WeighSlip.weighed_at,
            )
        )
        .order_by(OfflineSlip.id)
    )
    for (key,) in rows:
        yield Difference(f"offline_slip:{key}", Text("points to another slip than it sent"))


def _reversals_are_whole(session: Session) -> Iterator[Difference]:
    """A slip is reversed by a paper that two people signed; then all of its goods went out again
    (R20)."""
    back = (
        sa.select(StockMove.contribution_id, sum_whole(StockMove.quantity).label("moved"))
        .where(StockMove.kind == MoveKind.REVERSED)
        .group_by(StockMove.contribution_id)
        .subquery()
    )
    papers = (
        sa.select(SlipReversal.slip_id, SlipReversal.made_by_id, SlipReversal.decided_by_id)
        .where(SlipReversal.state == AdjustmentState.APPROVED)
        .subquery()
    )
    for slip, moved, paper, proposed, decided in session.execute(
        sa.select(
            WeighSlip, sa.func.coalesce(back.c.moved, 0), papers.c.slip_id,
            papers.c.made_by_id, papers.c.decided_by_id,
        )
        .outerjoin(back, back.c.contribution_id == WeighSlip.contribution_id)
        .outerjoin(papers, papers.c.slip_id == WeighSlip.id)
        .where(
            sa.or_(
                WeighSlip.state == SlipState.REVERSED,
                back.c.moved.is_not(None),
                papers.c.slip_id.is_not(None),
            )
        )
        .order_by(WeighSlip.id)
    ):  # fmt: skip
        whole = slip.state is SlipState.REVERSED and paper is not None and moved == -slip.net_g
        if not whole:
            yield Difference(f"slip:{slip.id}", Text("reversed on paper or in stock, not in both"))
        elif proposed is not None and proposed == decided:
            yield Difference(f"slip:{slip.id}", Text("reversed by one person alone"))


def _prices_do_not_overlap(session: Session) -> Iterator[Difference]:
    later = sa.orm.aliased(PurchasePrice)
    rows = session.execute(
        sa.select(PurchasePrice.id, later.id)
        .join(
            later,
            sa.and_(
                later.product_id == PurchasePrice.product_id,
                later.grade == PurchasePrice.grade,
                later.valid_from > PurchasePrice.valid_from,
            ),
        )
        .where(sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= later.valid_from))
        .order_by(PurchasePrice.id, later.id)
    )
    for key, other in rows:
        yield Difference(
            f"purchase_price:{key}", Text("overlaps with purchase price %(other)s", other=other)
        )


WEIGHING_CHECKS: list[Check] = [
    Check(
        "lots.slips",
        Text("Net weight, price and amount of every weigh slip"),
        _slips_add_up,
        rows_of(WeighSlip),
    ),
    Check(
        "lots.four_eyes",
        Text("Nobody takes in what they weighed themselves"),
        _two_people,
        rows_of(WeighSlip),
    ),
    Check(
        "lots.reviews",
        Text("Doubtful slips are approved by a second person before they are taken in"),
        _reviews_are_kept,
        rows_of(SlipReview),
    ),
    Check(
        "lots.offline",
        Text("What a phone weighed without network is the slip that carries its number"),
        _offline_slips_are_theirs,
        rows_of(OfflineSlip),
    ),
    Check(
        "lots.reversals",
        Text("A reversed slip has its paper of two people, and its goods are out again"),
        _reversals_are_whole,
        rows_of(SlipReversal),
    ),
    Check(
        "lots.prices",
        Text("One purchase price at a time for each product and grade"),
        _prices_do_not_overlap,
        rows_of(PurchasePrice),
    ),
]

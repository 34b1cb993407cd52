"""Several people at one delivery, at the very same moment: one protocol, settled once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from kernel.actors import Role
from kernel.errors import Refusal
from kernel.people import Organisation
from orders.agencies import operations
from orders.agencies.checks import CHECKS
from orders.agencies.models import Acceptance, AcceptanceState, BulkOrder, QuotaMovement, Stage
from orders.agencies.operations.closing import shipped_by_line
from orders.agencies.queries.acceptance import acceptance_sheet
from orders.sales.models import Shipment
from orders.shares.models import SplitPart
from tests.orders.agencies import canteens
from tests.orders.agencies.canteens import NOW
from tests.web import given

pytestmark = pytest.mark.race


def all_at_once(work, people):
    """Everybody starts together; answers what each raised, or None."""
    start = Barrier(len(people))

    def run(one):
        start.wait()
        try:
            work(one)
        except Refusal as refused:
            return refused
        return None

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


def test_eight_people_accept_one_delivery(db):
    with given(db) as session:
        of = canteens.canteen(session)
        body = session.get(Organisation, of.unit.organisation_id)
        people = [canteens.actor(session, body, Role.RECEIVER, f"验收{n}") for n in range(8)]
        bulk = canteens.signed(session, of, kg=150)
        shipment = canteens.ship(session, of, bulk)
        order_id, shipment_id = bulk.order_id, shipment.id

    def accept(person):
        with db.transaction() as session:
            opened = operations.open_acceptance(session, shipment_id, by=person, now=NOW)
            key = opened.id
        for line_id, shipped in _lines(db, key).items():
            with db.transaction() as session:
                if acceptance_sheet(session, key).state is AcceptanceState.OPEN:
                    operations.record_acceptance_line(
                        session, key, line_id, weighed=shipped - 1_000, by=person, now=NOW
                    )
        with db.transaction() as session:
            operations.sign_acceptance(session, key, by=person, now=NOW)

    refusals = all_at_once(accept, people)
    assert all(each is None or "signed" in str(each) for each in refusals), refusals
    with db.reading() as session:
        [acceptance] = session.scalars(sa.select(Acceptance)).all()
        assert acceptance.state is AcceptanceState.SIGNED
        assert acceptance.amount.fen == 89_400
        subjects = session.scalars(sa.select(SplitPart.subject).distinct()).all()
        assert len(subjects) == 1
        bulk = session.scalars(sa.select(BulkOrder)).one()
        assert bulk.stage is Stage.TO_INVOICE
        moved = session.scalars(
            sa.select(QuotaMovement.amount)
            .where(QuotaMovement.order_id == order_id)
            .order_by(QuotaMovement.id)
        ).all()
        assert [amount.fen for amount in moved] == [90_000, -600]
        assert [found for check in CHECKS for found in check.run(session)] == []


def _lines(db, acceptance_id):
    with db.reading() as session:
        return shipped_by_line(acceptance_sheet(session, acceptance_id))


def test_the_same_grid_sent_eight_times_is_one_order(db):
    with given(db) as session:
        of = canteens.canteen(session)

    def submit(_):
        with db.transaction() as session:
            canteens.operations.submit_order(
                session,
                of.unit.id,
                lines=[canteens.GridLine(pack_id=of.pack.id, quantity=50_000)],
                request_key="one",
                by=of.buyer,
                now=NOW,
            )

    assert all_at_once(submit, list(range(8))) == [None] * 8
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(BulkOrder)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(QuotaMovement)) == 1


def test_one_bank_line_recognised_by_eight_at_once_pays_once(db):
    with given(db) as session:
        of = canteens.canteen(session)
        bulk = canteens.invoiced(session, of, canteens.accepted(session, of, kg=50))
        line = canteens.bank_line(session, of, canteens.Money(30_000))
        order_id, line_id = bulk.order_id, line.id

    def recognise(_):
        with db.transaction() as session:
            operations.recognise_payment(session, line_id, order_id, by=of.accountant, now=NOW)

    assert all_at_once(recognise, list(range(8))) == [None] * 8
    with db.reading() as session:
        assert [found for check in CHECKS for found in check.run(session)] == []
        assert session.scalars(sa.select(Shipment)).one().delivered_at is not None
        assert session.scalars(sa.select(BulkOrder)).one().stage is Stage.TO_REVIEW

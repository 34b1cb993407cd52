"""The canteen's road: ordered, approved by another, signed, delivered, accepted by two, invoiced,
paid, reviewed, counted — and every way it ends earlier."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel import audit
from kernel.db import sum_money
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import ZERO, Money, parse_money
from kernel.storage import Blob
from orders.agencies import operations
from orders.agencies.models import (
    AcceptanceSignature,
    AcceptanceState,
    Basis,
    BulkOrder,
    CanteenType,
    CreditNote,
    Disposition,
    QuotaMonth,
    QuotaMovement,
    Stage,
)
from orders.agencies.operations import CreditLine, GridLine
from orders.agencies.queries.acceptance import acceptance_sheet
from orders.agencies.queries.bulk import accepted_of
from orders.ledger.queries import balance
from orders.ledger.rules import receivable
from orders.sales.models import Order, OrderLine, OrderState
from tests import makers
from tests.orders.agencies import canteens
from tests.orders.agencies.canteens import NOW


@pytest.fixture
def of(session):
    return canteens.canteen(session)


def figures(session, unit_id=None):
    rows = session.execute(
        sa.select(QuotaMovement.basis, QuotaMovement.year, sum_money(QuotaMovement.amount))
        .where(QuotaMovement.unit_id == unit_id if unit_id else sa.true())
        .group_by(QuotaMovement.basis, QuotaMovement.year)
    )
    return {(basis.value, year): amount.fen for basis, year, amount in rows if amount}


def stock(session, product):
    on_hand, reserved = session.execute(
        sa.select(sa.func.sum(Contribution.on_hand), sa.func.sum(Contribution.reserved)).where(
            Contribution.product_id == product.id
        )
    ).one()
    return int(on_hand), int(reserved)


def line_of(session, bulk):
    return session.scalars(sa.select(OrderLine).where(OrderLine.order_id == bulk.order_id)).one()


def owed(session, of):
    return balance(session, receivable(of.supplier.code, of.body.id))


def test_the_whole_road(session, of):
    bulk = canteens.done(session, of, kg=100)
    order = session.get(Order, bulk.order_id)
    assert (bulk.stage, order.state) == (Stage.DONE, OrderState.COMPLETED)
    assert figures(session) == {
        ("ordered", 2026): 60_000,
        ("settled", 2026): 60_000,
        ("counted", 2026): 60_000,
    }
    assert owed(session, of) == ZERO
    session.commit()
    assert list(audit.verify(session)) == []


def test_one_submission_makes_one_order_per_supplier(session, of):
    other = makers.supplier(session, "关里合作社")
    _, pack = canteens.goods(session, other, nets=(50_000,))
    lines = [
        GridLine(pack_id=of.pack.id, quantity=20_000),
        GridLine(pack_id=pack.id, quantity=10_000),
    ]
    found = operations.submit_order(
        session, of.unit.id, lines=lines, request_key="week", by=of.buyer, now=NOW
    )
    orders = [session.get(Order, bulk.order_id) for bulk in found]
    assert [order.supplier_id for order in orders] == [of.supplier.id, other.id]
    assert figures(session) == {("ordered", 2026): 18_000}
    again = operations.submit_order(
        session, of.unit.id, lines=lines, request_key="week", by=of.buyer, now=NOW
    )
    assert [bulk.id for bulk in again] == [bulk.id for bulk in found]
    assert session.scalar(sa.select(sa.func.count()).select_from(QuotaMovement)) == 2


def test_what_is_not_there_is_named_and_nothing_is_ordered(session, of):
    with pytest.raises(Refusal):
        canteens.submit(session, of, kg=300)
    assert stock(session, of.product) == (200_000, 0)
    assert figures(session) == {}


def test_whoever_submitted_cannot_approve(session, of):
    bulk = canteens.submit(session, of)
    with pytest.raises(Refusal):
        operations.approve_order(session, bulk.order_id, by=of.buyer, now=NOW)
    assert bulk.stage is Stage.PENDING_APPROVAL
    operations.approve_order(session, bulk.order_id, by=of.approver, now=NOW)
    operations.approve_order(session, bulk.order_id, by=of.approver, now=NOW)
    assert bulk.stage is Stage.TO_SIGN


@pytest.mark.parametrize("how", ["reject", "cancel_unit", "cancel_supplier", "unsigned"])
def test_an_order_that_ends_early_gives_everything_back(session, of, how):
    bulk = canteens.submit(session, of)
    assert stock(session, of.product) == (200_000, 100_000)
    if how == "reject":
        operations.reject_order(session, bulk.order_id, reason="太多", by=of.approver, now=NOW)
    elif how == "unsigned":
        almost = NOW + timedelta(hours=47, minutes=59)
        assert operations.close_unsigned_orders(session, now=almost) == []
        operations.close_unsigned_orders(session, now=NOW + timedelta(hours=48))
        assert operations.close_unsigned_orders(session, now=NOW + timedelta(hours=48)) == []
    else:
        by = of.buyer if how == "cancel_unit" else of.manager
        operations.cancel_order(session, bulk.order_id, reason="计划有变", by=by, now=NOW)
        operations.cancel_order(session, bulk.order_id, reason="计划有变", by=by, now=NOW)
    assert bulk.stage is (Stage.REJECTED if how == "reject" else Stage.CANCELLED)
    assert stock(session, of.product) == (200_000, 0)
    assert figures(session) == {}
    months = session.scalars(sa.select(QuotaMonth)).all()
    assert [month.amount for month in months] == [ZERO]


def test_a_signed_order_is_not_cancelled(session, of):
    bulk = canteens.signed(session, of)
    with pytest.raises(Refusal):
        operations.cancel_order(session, bulk.order_id, reason="算了", by=of.buyer, now=NOW)
    assert bulk.stage is Stage.IN_DELIVERY


def test_the_contract_is_frozen_when_the_supplier_signs(session, of):
    bulk = canteens.signed(session, of)
    from kernel.versions import FrozenVersion

    contract = session.get(FrozenVersion, bulk.contract_id)
    assert contract.intact
    assert contract.content()["total_fen"] == 60_000
    assert contract.content()["payment_days_after_acceptance"] == 30
    first = bulk.contract_id
    operations.sign_order(session, bulk.order_id, by=of.manager, now=NOW)
    assert bulk.contract_id == first


def test_g13_seventy_five_days_cannot_be_agreed(session, of):
    with pytest.raises(Invalid):
        canteens.submit(session, of, payment_days=75)
    bulk = canteens.submit(session, of, payment_days=60)
    assert bulk.payment_days == 60


def test_g12_short_and_rejected_goods_in_two_deliveries(session, of):
    bulk = canteens.signed(session, of, kg=200)
    first = canteens.ship(session, of, bulk, kg=50)
    canteens.accept(session, of, first)
    assert (bulk.stage, bulk.accepted_on) == (Stage.IN_DELIVERY, None)
    assert figures(session) == {("ordered", 2026): 120_000}
    second = canteens.ship(session, of, bulk)
    accepted = canteens.accept(
        session, of, second, weighed=146_000, rejected=6_000, reason="wrong_specification",
        disposition=Disposition.RETURN,
    )  # fmt: skip
    assert accepted.amount == parse_money("840.00")  # 140 kg
    assert (bulk.stage, bulk.accepted_on, bulk.due_on) == (
        Stage.TO_INVOICE, makers.TODAY, date(2026, 12, 23),
    )  # fmt: skip
    assert accepted_of(session, bulk.order_id) == parse_money("1140.00")
    assert figures(session) == {("ordered", 2026): 114_000}
    assert stock(session, of.product) == (6_000, 0)
    assert owed(session, of) == parse_money("1140.00")
    session.commit()
    assert list(audit.verify(session)) == []


def test_what_is_rotten_does_not_come_back_to_the_store(session, of):
    canteens.accepted(
        session, of, kg=200, weighed=196_000, rejected=6_000, reason="rotten",
        disposition=Disposition.RETURN,
    )  # fmt: skip
    assert stock(session, of.product) == (0, 0)


def test_a_delivery_that_is_refused_whole_ends_the_order(session, of):
    bulk = canteens.accepted(
        session, of, kg=200, rejected=200_000, reason="papers_do_not_match",
        disposition=Disposition.RETURN,
    )  # fmt: skip
    assert bulk.stage is Stage.CANCELLED
    assert figures(session) == {}
    assert stock(session, of.product) == (200_000, 0)
    assert owed(session, of) == ZERO


def test_a_lower_price_is_agreed_on_the_spot(session, of):
    bulk = canteens.accepted(
        session, of, reason="frostbitten", disposition=Disposition.REDUCED_PRICE, deduction_bp=1000
    )
    assert accepted_of(session, bulk.order_id) == parse_money("540.00")


def test_two_different_people_sign_the_same_text(session, of):
    bulk = canteens.signed(session, of)
    shipment = canteens.ship(session, of, bulk)
    opened = operations.open_acceptance(session, shipment.id, by=of.receiver, now=NOW)
    with pytest.raises(Refusal):  # nothing recorded yet
        operations.sign_acceptance(session, opened.id, by=of.receiver, now=NOW)
    line = line_of(session, bulk)
    record = {"weighed": 100_000, "by": of.receiver, "now": NOW}
    operations.record_acceptance_line(session, opened.id, line.id, **record)
    operations.sign_acceptance(session, opened.id, by=of.receiver, now=NOW)
    operations.sign_acceptance(session, opened.id, by=of.receiver, now=NOW)
    assert acceptance_sheet(session, opened.id).state is AcceptanceState.OPEN
    record["weighed"] = 99_000
    operations.record_acceptance_line(session, opened.id, line.id, **record)
    signed = operations.sign_acceptance(session, opened.id, by=of.receiver2, now=NOW)
    assert signed.state is AcceptanceState.OPEN  # the first signed another text
    signed = operations.sign_acceptance(session, opened.id, by=of.receiver, now=NOW)
    assert signed.state is AcceptanceState.SIGNED
    assert signed.frozen.intact
    assert [each["name"] for each in signed.frozen.content()["signatures"]] == ["向验收", "石验收"]
    with pytest.raises(Refusal):
        operations.record_acceptance_line(session, opened.id, line.id, **record)
    assert session.scalar(sa.select(sa.func.count()).select_from(AcceptanceSignature)) == 3


def test_a_photo_is_kept_once(session, of):
    bulk = canteens.signed(session, of)
    shipment = canteens.ship(session, of, bulk)
    opened = operations.open_acceptance(session, shipment.id, by=of.receiver, now=NOW)
    blob = Blob(sha256="a" * 64, size=3, media_type="image/jpeg", name="秤.jpg")
    for _ in range(2):
        operations.record_acceptance_line(
            session, opened.id, line_of(session, bulk).id, weighed=94_000, rejected=1_000,
            reason="rotten", disposition=Disposition.RETURN, photos=[blob], by=of.receiver, now=NOW,
        )  # fmt: skip
    [line] = acceptance_sheet(session, opened.id).lines
    assert [photo.file.name for photo in line.photos] == ["秤.jpg"]


def test_the_rest_that_cannot_come_is_released(session, of):
    bulk = canteens.signed(session, of, kg=200)
    canteens.accept(session, of, canteens.ship(session, of, bulk, kg=150))
    operations.release_rest(session, bulk.order_id, reason="霜冻", by=of.manager, now=NOW)
    assert (bulk.stage, bulk.accepted_on) == (Stage.TO_INVOICE, makers.TODAY)
    assert figures(session) == {("ordered", 2026): 90_000}
    assert stock(session, of.product) == (50_000, 0)


def test_nothing_is_shipped_and_the_order_ends(session, of):
    bulk = canteens.signed(session, of, kg=200)
    operations.release_rest(session, bulk.order_id, reason="霜冻", by=of.manager, now=NOW)
    assert bulk.stage is Stage.CANCELLED
    assert figures(session) == {}
    assert stock(session, of.product) == (200_000, 0)


def test_the_invoice_says_what_was_accepted(session, of):
    bulk = canteens.accepted(session, of)
    given = {"issued_on": makers.TODAY, "by": of.buyer, "now": NOW}
    with pytest.raises(Invalid) as refused:
        operations.record_invoice(
            session, bulk.order_id, number="123", amount=parse_money("600.01"), **given
        )
    assert set(refused.value.errors) == {"number", "amount"}
    number = "２６".replace("２６", "26") + "5" * 18
    for _ in range(2):
        operations.record_invoice(
            session, bulk.order_id, number=number, amount=parse_money("600"), **given
        )
    with pytest.raises(Refusal):
        operations.check_invoice(session, bulk.order_id, by=of.buyer, now=NOW)
    operations.check_invoice(session, bulk.order_id, by=of.finance, now=NOW)
    operations.check_invoice(session, bulk.order_id, by=of.finance, now=NOW)
    assert bulk.stage is Stage.TO_PAY


def test_parts_of_a_payment_add_up_and_more_is_refused(session, of):
    bulk = canteens.invoiced(session, of, canteens.accepted(session, of))
    first = canteens.bank_line(session, of, parse_money("250"))
    for _ in range(2):
        operations.recognise_payment(session, first.id, bulk.order_id, by=of.accountant, now=NOW)
    assert (bulk.stage, owed(session, of)) == (Stage.TO_PAY, parse_money("350"))
    assert ("settled", 2026) not in figures(session)
    second = canteens.bank_line(session, of, parse_money("400"))
    with pytest.raises(Invalid):
        operations.recognise_payment(
            session, second.id, bulk.order_id, amount=parse_money("400"), by=of.accountant, now=NOW
        )
    operations.recognise_payment(session, second.id, bulk.order_id, by=of.accountant, now=NOW)
    assert (bulk.stage, owed(session, of)) == (Stage.TO_REVIEW, ZERO)
    assert figures(session)["settled", 2026] == 60_000
    another = canteens.invoiced(session, of, canteens.accepted(session, of, kg=50))
    operations.recognise_payment(session, second.id, another.order_id, by=of.accountant, now=NOW)
    assert owed(session, of) == parse_money("250")  # 50 of the second line were left


def test_g8_without_a_review_nothing_counts(session, of):
    bulk = canteens.accepted(session, of)
    with pytest.raises(Refusal):
        operations.review_order(session, bulk.order_id, stars=5, by=of.buyer, now=NOW)
    canteens.pay(session, of, canteens.invoiced(session, of, bulk))
    assert ("counted", 2026) not in figures(session)
    for _ in range(2):
        operations.review_order(session, bulk.order_id, stars=4, by=of.buyer, now=NOW)
    assert figures(session)["counted", 2026] == 60_000


def test_g9_completed_in_january_counts_for_the_next_year(session, of):
    december = datetime(2026, 12, 20, 2, 0, tzinfo=UTC)
    january = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)
    canteens.bring(session, of.product, [200_000], at=december)
    bulk = canteens.accepted(session, of, now=december)
    canteens.pay(session, of, canteens.invoiced(session, of, bulk, now=december), now=january)
    operations.review_order(session, bulk.order_id, stars=5, by=of.buyer, now=january)
    assert figures(session) == {
        ("ordered", 2027): 60_000,
        ("settled", 2027): 60_000,
        ("counted", 2027): 60_000,
    }


def test_g10_an_order_moved_to_another_unit_moves_its_figures(session, of):
    bulk = canteens.done(session, of)
    other = canteens.unit(session, "黔江中学")
    platform = canteens.actor(session, of.department, makers.Role.OPERATOR, "平台")
    with pytest.raises(Refusal):
        operations.correct_unit(
            session, bulk.order_id, to_unit_id=other.id, reason="填错", by=of.buyer, now=NOW
        )
    for _ in range(2):
        operations.correct_unit(
            session, bulk.order_id, to_unit_id=other.id, reason="填错", by=platform, now=NOW
        )
    assert figures(session, of.unit.id) == {}
    assert set(figures(session, other.id).values()) == {60_000}
    operations.correct_unit(
        session, bulk.order_id, to_unit_id=of.unit.id, reason="又改回", by=platform, now=NOW
    )
    assert figures(session, other.id) == {}
    assert set(figures(session, of.unit.id).values()) == {60_000}


def test_a_credit_note_takes_back_from_all_three_figures(session, of):
    bulk = canteens.done(session, of)
    line = line_of(session, bulk)
    credit = [CreditLine(line_id=line.id, quantity=10_000, amount=parse_money("60"))]
    for _ in range(2):
        operations.refund_after(
            session, bulk.order_id, lines=credit, reason="空心", request_key="r1",
            by=of.accountant, now=NOW,
        )  # fmt: skip
    assert session.scalar(sa.select(sa.func.count()).select_from(CreditNote)) == 1
    assert set(figures(session).values()) == {54_000}
    assert owed(session, of) == parse_money("-60")
    with pytest.raises(Invalid):
        operations.refund_after(
            session, bulk.order_id,
            lines=[CreditLine(line_id=line.id, quantity=0, amount=parse_money("540.01"))],
            reason="太多", request_key="r2", by=of.accountant, now=NOW,
        )  # fmt: skip


def test_others_see_nothing_and_do_nothing(session, of):
    bulk = canteens.submit(session, of)
    stranger_unit = canteens.unit(session, "黔江中学", canteen_type=CanteenType.OWN)
    body = session.get(makers.Organisation, stranger_unit.organisation_id)
    stranger = canteens.actor(session, body, makers.Role.APPROVER, "外人")
    for attempt in (
        lambda: operations.approve_order(session, bulk.order_id, by=stranger, now=NOW),
        lambda: operations.reject_order(session, bulk.order_id, reason="x", by=stranger, now=NOW),
        lambda: operations.cancel_order(session, bulk.order_id, reason="x", by=stranger, now=NOW),
        lambda: operations.sign_order(session, bulk.order_id, by=of.approver, now=NOW),
        lambda: operations.approve_order(session, bulk.order_id, by=of.manager, now=NOW),
    ):
        with pytest.raises(Missing):
            attempt()
    assert bulk.stage is Stage.PENDING_APPROVAL


def test_rows_and_roll_ups_say_the_same(session, of):
    canteens.done(session, of, kg=20)
    canteens.accepted(session, of, kg=30)
    canteens.submit(session, of, kg=10)
    for basis in Basis:
        rows = session.scalar(
            sa.select(sa.func.sum(QuotaMovement.amount)).where(QuotaMovement.basis == basis)
        )
        months = session.scalar(
            sa.select(sa.func.sum(QuotaMonth.amount)).where(QuotaMonth.basis == basis)
        )
        assert rows == months
    assert session.scalar(sa.select(sa.func.count()).select_from(BulkOrder)) == 3
    assert Money(0) == ZERO

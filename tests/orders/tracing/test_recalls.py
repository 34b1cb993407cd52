"""Recalls: what was made of a lot is held too, each buyer is told once, every gram is asked for."""

from __future__ import annotations

import io

import pytest
import python_calamine
import sqlalchemy as sa
from pypdf import PdfReader

from catalog.lots import operations as lots
from catalog.lots.models import Lot, LotState
from kernel.actors import Role
from kernel.audit import AuditEntry
from kernel.errors import Invalid, Refusal
from kernel.outbox import Job
from kernel.people import User
from orders.sales.operations import ship_order
from orders.tracing import checks
from orders.tracing.models import Recall, RecallKind, RecallLine, RecallOutcome, RecallReport
from orders.tracing.operations import (
    begin_recall,
    close_recall,
    list_contacts,
    mark_read,
    report_back,
)
from orders.tracing.queries.recalls import accounted, notice_of, recall_by, time_needed
from tests import makers
from tests.makers import NOON
from tests.orders.tracing.test_walk import Township
from tests.web import given, person


def arranged(session):
    """The township of the walk; what the citizen bought of the dried lot has left as well."""
    town = Township(session)
    ship_order(
        session, town.citizen.id, supplier_id=town.of.supplier.id, lines=None,
        request_key="to-citizen", by=town.of.storekeeper, now=NOON,
    )  # fmt: skip
    return town


@pytest.fixture
def town(session):
    return arranged(session)


def begin(session, town, *, kind=RecallKind.REAL, lot=None, now=NOON, **words):
    said = {"reason": "农残超标", "advice": "请勿食用", **words}
    return begin_recall(
        session, (lot or town.fresh).id, supplier_id=town.of.supplier.id, kind=kind, **said,
        site="https://sutian.test", by=town.of.manager, now=now,
    )  # fmt: skip


def lines_of(session, recall):
    return recall_by(session, recall.supplier_id, recall.number).lines


def mails(session):
    """Letters to citizens, mails to people of units and cooperatives."""
    jobs = session.scalars(sa.select(Job).order_by(Job.id)).all()
    return (
        [job.arguments["order_id"] for job in jobs
         if job.name == "order_letter" and job.arguments["letter"] == "recalled"],
        sorted(job.arguments["to"] for job in jobs
               if job.name == "send_mail" and "召回" in job.arguments["subject"]),
    )  # fmt: skip


def test_a_recall_holds_the_lot_and_what_was_made_of_it_and_names_every_buyer(session, town):
    recall = begin(session, town)
    assert {town.fresh.state, town.dried.state} == {LotState.QUARANTINE}
    assert town.fresh.state_reason == "农残超标"
    assert town.fresh.code in town.dried.state_reason
    assert [(line.order_id, line.lot_id, line.shipped) for line in lines_of(session, recall)] == [
        (town.order.id, town.fresh.id, 50_000), (town.citizen.id, town.dried.id, 10_000),
    ]  # fmt: skip
    notice = notice_of(session, town.dried.id)
    assert (notice.reason, notice.advice, notice.closed) == ("农残超标", "请勿食用", False)


def test_each_buyer_is_told_once_however_often_it_is_pressed(session, town):
    first = begin(session, town)
    letters, people = mails(session)
    again = begin(session, town, reason="又按了一次")
    assert again.id == first.id
    assert mails(session) == (letters, people)
    assert letters == [town.citizen.id]
    told = session.scalars(
        sa.select(User.email).where(User.name.in_(
            ("冉采购", "田审批", "石验收", "向验收", "杨财务", "张社长", "陶库管")
        ))
    ).all()  # fmt: skip
    assert set(people) <= set(told)
    assert len(people) == len(set(people)) == 7


def test_a_drill_holds_nothing_tells_nobody_and_takes_the_time(session, town):
    recall = begin(session, town, kind=RecallKind.DRILL)
    assert {town.fresh.state, town.dried.state} == {LotState.OPEN}
    assert mails(session) == ([], [])
    assert notice_of(session, town.fresh.id) is None
    assert len(lines_of(session, recall)) == 2
    later = NOON + makers.timedelta(minutes=12)
    list_contacts(session, recall.id, by=town.of.manager, now=later)
    list_contacts(session, recall.id, by=town.of.manager, now=later + makers.timedelta(hours=1))
    assert time_needed(recall) == makers.timedelta(minutes=12)
    closing(session, town, recall)
    assert session.scalars(sa.select(RecallReport)).all() == []
    assert town.fresh.state is LotState.OPEN


def report(session, town, recall, line, quantity, outcome=RecallOutcome.RETURNED, note=""):
    return report_back(
        session, recall.id, line.id, outcome=outcome, quantity=quantity, note=note,
        by=town.of.storekeeper, now=NOON,
    )  # fmt: skip


def closing(session, town, recall, *, rest=False, safe=False, conclusion="查清，已销毁"):
    return close_recall(
        session, recall.id, conclusion=conclusion, rest_is_missing=rest, safe_again=safe,
        by=town.of.manager, now=NOON + makers.timedelta(days=3),
    )  # fmt: skip


def test_it_is_closed_only_when_every_gram_is_accounted_for(session, town):
    recall = begin(session, town)
    unit, citizen = lines_of(session, recall)
    report(session, town, recall, unit, 30_000)
    report(session, town, recall, unit, 15_000, RecallOutcome.DESTROYED)
    with pytest.raises(Invalid):
        report(session, town, recall, unit, 5_001, RecallOutcome.CONSUMED)
    with pytest.raises(Invalid):
        report(session, town, recall, unit, -30_001, note="记错")
    with pytest.raises(Invalid):
        report(session, town, recall, unit, -1_000)
    report(session, town, recall, unit, -1_000, note="记错")
    report(session, town, recall, unit, 6_000, RecallOutcome.CONSUMED)
    report(session, town, recall, citizen, 4_000)
    with pytest.raises(Invalid):
        closing(session, town, recall)
    with pytest.raises(Invalid):
        closing(session, town, recall, rest=True, conclusion=" ")
    assert recall.closed_at is None
    closing(session, town, recall, rest=True)
    found = lines_of(session, recall)
    assert [accounted([each]).open for each in found] == [0, 0]
    assert accounted(found).by_outcome == {
        RecallOutcome.RETURNED: 33_000, RecallOutcome.DESTROYED: 15_000,
        RecallOutcome.CONSUMED: 6_000, RecallOutcome.MISSING: 6_000,
    }  # fmt: skip
    with pytest.raises(Refusal, match="closed"):
        report(session, town, recall, unit, 1_000)
    assert town.fresh.state is LotState.QUARANTINE
    assert [list(check.run(session)) for check in checks.CHECKS] == [[]] * len(checks.CHECKS)


def test_what_was_found_safe_is_sold_again_unless_another_recall_holds_it(session, town):
    upper, lower = begin(session, town), begin(session, town, lot=town.dried)
    closing(session, town, upper, rest=True, safe=True)
    assert (town.fresh.state, town.dried.state) == (LotState.OPEN, LotState.QUARANTINE)
    closing(session, town, lower, rest=True, safe=True)
    assert town.dried.state is LotState.OPEN
    assert notice_of(session, town.dried.id) is None


def test_only_the_lot_s_own_supplier_recalls_it_and_only_with_a_reason(session, town):
    stranger = makers.supplier(session)
    with pytest.raises(Refusal):
        begin_recall(
            session, town.fresh.id, supplier_id=stranger.id, kind=RecallKind.REAL, reason="x",
            advice="y", site="", by=town.of.manager, now=NOON,
        )  # fmt: skip
    with pytest.raises(Invalid):
        begin(session, town, reason="  ")
    assert town.fresh.state is LotState.OPEN
    assert session.scalars(sa.select(Recall)).all() == []


def test_the_self_check_finds_a_closed_recall_that_does_not_add_up(session, town):
    recall = begin(session, town)
    closing(session, town, recall, rest=True)
    line = lines_of(session, recall)[0]
    session.execute(sa.update(RecallLine).where(RecallLine.id == line.id).values(shipped=60_000))
    [found] = [each for check in checks.CHECKS for each in check.run(session)]
    assert found.subject == f"recall_line:{line.id}"


def test_a_recall_from_the_button_to_the_balance(db, app, statements):
    with given(db) as session:
        town = arranged(session)
        keeper = session.get(User, town.of.storekeeper.user_id)
        manager = session.get(User, town.of.manager.user_id)
        buyer = session.get(User, town.of.buyer.user_id)
        weigher = makers.member(session, town.of.coop, Role.WEIGHER)
    page = person(app, keeper).open(f"/coop/lots/{town.fresh.code}").follow("Recall this lot")
    page.sees("2 lots", "2 orders", "黔江区实验小学", "林*", "mail and desk").does_not_see(
        "13855501234"
    )
    page.press("Begin the recall", status=422, Reason="").sees("Please fill this in")
    page.press("Begin the recall", Reason="农残超标").sees("has begun", "Not closed yet")
    number = page.path.rsplit("/", 1)[1]
    page.again().sees(number)
    assert page.page.find("button", string="Close the recall") is None
    assert (
        person(app, weigher)
        .open(f"/coop/recalls/{number}")
        .client.get(f"/coop/recalls/{number}/contacts.pdf")
        .status_code
        == 403
    )
    table = page.client.get(f"/coop/recalls/{number}/contacts.xlsx").data
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(table)).get_sheet_by_index(0)
    cells = {str(cell) for row in rows.to_python() for cell in row}
    assert {"林女士", "13855501234", "黔江区实验小学", town.fresh.code} <= cells
    paper = page.client.get(f"/coop/recalls/{number}/contacts.pdf").data
    text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(paper)).pages)
    assert "召回联系单" in text
    assert "13855501234" in text
    with db.reading() as session:
        listed = session.scalars(
            sa.select(AuditEntry.user_id).where(AuditEntry.action == "list_recall_contacts")
        ).all()
    assert listed == [keeper.id, keeper.id]

    canteen = person(app, buyer).open("/canteen/").follow("See what must not be served")
    canteen.sees("农残超标", "50 kg")
    canteen.press("Read and set apart").sees("Thank you")
    boss = person(app, manager).open(f"/coop/recalls/{number}").sees("read 23 Nov 2026")
    boss.press("Write down", status=422, quantity="51").sees("More than was shipped")
    boss.press("Write down", quantity="５０").sees("Returned 50 kg")
    boss.press("Close the recall", status=422, conclusion="查清").sees("Of 1 deliveries")
    boss.press("Close the recall", conclusion="查清", rest="yes", safe="yes").sees(
        "is closed", "查清"
    )
    with db.reading() as session:
        assert session.get(Lot, town.fresh.id).state is LotState.OPEN
    sent = len(statements)
    boss.open(f"/coop/recalls/{number}")
    assert len(statements) - sent < 20


def test_a_unit_reads_only_its_own_recalls(session, town):
    recall = begin(session, town)
    line = lines_of(session, recall)[0]
    with pytest.raises(Refusal):
        mark_read(session, line.id, organisation_id=0, by=town.of.buyer, now=NOON)
    assert line.read_at is None
    mark_read(session, line.id, organisation_id=town.of.body.id, by=town.of.buyer, now=NOON)
    later = NOON + makers.timedelta(hours=1)
    mark_read(session, line.id, organisation_id=town.of.body.id, by=town.of.receiver, now=later)
    assert line.read_at == NOON


def test_a_recalled_lot_is_not_released_behind_the_recall(session, town):
    begin(session, town)
    with pytest.raises(Refusal, match="Close its recall"):
        lots.release_lot(session, town.dried.id, reason="x", by=town.of.manager, now=NOON)
    assert town.dried.state is LotState.QUARANTINE

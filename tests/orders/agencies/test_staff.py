"""Staff's own purchases count for their unit: agreed to, once, as far as they were paid for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import given as given_examples
from hypothesis import strategies as st

from catalog.products.models import Product
from kernel import audit
from kernel.actors import WORKER, Actor, Role
from kernel.db import sum_money
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import ZERO, Money
from kernel.people import Organisation, User
from orders.agencies import operations
from orders.agencies.checks import CHECKS
from orders.agencies.models import Basis, Purpose, QuotaMovement, StaffCredit, Unit
from orders.agencies.queries.staff import orders_to_follow, sums_of_staff
from orders.agencies.rules.counting import CountingPolicy
from orders.agencies.rules.staff import StaffOrder, staff_figures
from orders.payments import operations as payments
from orders.payments.models import Refund, RefundKind
from orders.sales import operations as sales
from orders.sales.checks import CHECKS as SALES_CHECKS
from orders.sales.models import Employment, EmploymentState, Order, OrderLine
from tests import makers
from tests.orders.agencies import canteens
from tests.web import given, person

NOW, TODAY = makers.NOON, makers.TODAY
LATER = NOW + timedelta(days=3)


@dataclass
class Place:
    """A school that counts, its approver, somebody who works there, and radish to buy."""

    session: object
    unit: Unit
    approver: Actor
    lin: User
    radish: Product

    @property
    def body(self) -> Organisation:
        return self.unit.organisation

    @property
    def by(self) -> Actor:
        return makers.acting(self.lin)

    def ask(self, lin=None, *, code=None) -> Employment:
        known = (
            code
            or sales.renew_employer_code(
                self.session, self.unit.organisation_id, by=self.approver, now=NOW
            ).code
        )
        user = lin or self.lin
        return sales.ask_employer(
            self.session, user.id, code=known, name="林溪", remark="三年级", by=makers.acting(user),
            now=NOW,
        )  # fmt: skip

    def agree(self, employment, since=TODAY, *, by=None, now=NOW) -> Employment:
        return sales.agree_employment(
            self.session, employment.id, organisation_id=self.unit.organisation_id,
            valid_from=since, by=by or self.approver, now=now,
        )  # fmt: skip

    def belongs(self, since=TODAY) -> Employment:
        return self.agree(self.ask(), since)

    def buys(self, count=2, *, now=NOW, paid=True, credited=False) -> Order:
        wish = {"user_id": self.lin.id}
        if credited:
            wish["credit_organisation_id"] = self.unit.organisation_id
        make = makers.paid_order if paid else makers.citizen_order
        return make(self.session, self.radish, count, now=now, **wish)

    def completes(self, order, *, now=LATER) -> None:
        sales.ship_order(
            self.session, order.id, supplier_id=order.supplier_id, request_key=f"s{order.id}",
            by=makers.SOMEBODY, now=now,
        )  # fmt: skip
        payments.complete_citizen_order(self.session, order.id, by=WORKER, now=now)

    def gets_back(self, order, packs, *, now=LATER) -> Refund:
        line = line_of(self.session, order)
        refund = payments.refund_order_lines(
            self.session, order.id, {line.id: packs * (line.quantity // line.count)},
            kind=RefundKind.QUALITY, request_key=f"r{order.id}:{now}", by=makers.SOMEBODY, now=now,
        )  # fmt: skip
        payments.record_refund(
            self.session, refund.id, provider_id=f"re_{refund.id}", status="succeeded",
            by=WORKER, now=now,
        )  # fmt: skip
        return refund

    def follow(self, order, now=LATER):
        return operations.follow_staff_order(self.session, order.id, by=WORKER, now=now)

    def figures(self, order=None) -> dict[str, Money]:
        """Of the unit, or of one order alone."""
        which = QuotaMovement.order_id == order.id if order is not None else sa.true()
        rows = self.session.execute(
            sa.select(QuotaMovement.basis, sum_money(QuotaMovement.amount))
            .where(
                QuotaMovement.unit_id == self.unit.id,
                QuotaMovement.purpose == Purpose.STAFF,
                which,
            )
            .group_by(QuotaMovement.basis)
        )
        return {basis.value: amount for basis, amount in rows if amount}


def line_of(session, order) -> OrderLine:
    return session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()


def place_in(session, **policy) -> Place:
    canteens.policy(session, **policy)
    unit = canteens.unit(session)
    session.refresh(unit, ["organisation"])
    unit.organisation.uscc = "12500114450123454G"
    approver = canteens.actor(session, unit.organisation, Role.APPROVER, "冉审核")
    lin = makers.user(session, "林溪", email="lin@example.cn")
    return Place(session, unit, approver, lin, makers.sold_product(session, nets=(900_000,)))


@pytest.fixture
def place(session):
    return place_in(session, needs_review=False)


def differences(session):
    return [
        f"{check.name}: {found.sentence}"
        for check in (*CHECKS, *SALES_CHECKS)
        for found in check.run(session)
    ]


# --- the rule ------------------------------------------------------------------------------------

PLAIN = CountingPolicy(
    needs_review=False, countable_channels=frozenset({"platform"}), by_completion=True,
    freight_counts=False,
)  # fmt: skip


def test_an_unpaid_order_is_worth_nothing_a_paid_one_is_ordered_a_completed_one_counts():
    order = StaffOrder(channel="platform", ordered_on=TODAY, goods=Money(58_00))

    assert staff_figures(order, PLAIN) == {}
    paid = replace(order, paid_on=TODAY)
    assert staff_figures(paid, PLAIN) == {("ordered", 2026): Money(58_00)}
    done = replace(paid, completed_on=date(2026, 12, 3))
    assert set(staff_figures(done, PLAIN).values()) == {Money(58_00)}
    assert len(staff_figures(done, PLAIN)) == 3
    assert staff_figures(done, PLAIN, counts=False) == {}


def test_where_reviews_are_asked_for_nothing_counts_without_one():
    """Golden case G8, for a citizen's order."""
    strict = replace(PLAIN, needs_review=True)
    done = StaffOrder(
        channel="platform", ordered_on=TODAY, goods=Money(58_00), paid_on=TODAY, completed_on=TODAY
    )

    assert ("counted", 2026) not in staff_figures(done, strict)
    assert staff_figures(replace(done, reviewed_on=TODAY), strict)["counted", 2026] == Money(58_00)


def test_an_order_of_december_that_is_completed_in_january_stands_in_the_year_of_the_rule():
    """Golden case G9, for a citizen's order."""
    order = StaffOrder(
        channel="platform", ordered_on=date(2026, 12, 20), goods=Money(58_00),
        paid_on=date(2026, 12, 20), completed_on=date(2027, 1, 5),
    )  # fmt: skip

    assert {year for _, year in staff_figures(order, PLAIN)} == {2027}
    by_order = replace(PLAIN, by_completion=False)
    assert {year for _, year in staff_figures(order, by_order)} == {2026}


fen = st.integers(0, 10**7).map(Money)
days = st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given_examples(
    goods=fen, freight=fen, back=fen, freight_back=fen, ended=st.booleans(), paid=days,
    completed=days, reviewed=days, review=st.booleans(), carried=st.booleans(),
    channel=st.sampled_from(["platform", "offline"]),
)  # fmt: skip
@settings(max_examples=500)
def test_never_more_counts_than_was_paid_and_the_three_figures_are_in_order(
    goods, freight, back, freight_back, ended, paid, completed, reviewed, review, carried, channel
):
    order = StaffOrder(
        channel=channel, ordered_on=date(2026, 6, 1), goods=goods, freight=freight,
        refunded_goods=back, refunded_freight=freight_back, ended=ended, paid_on=paid,
        completed_on=completed, reviewed_on=reviewed,
    )  # fmt: skip
    policy = replace(PLAIN, needs_review=review, freight_counts=carried)

    found = staff_figures(order, policy)

    kept = max(ZERO, goods - back) + (max(ZERO, freight - freight_back) if carried else ZERO)
    for year in {year for _, year in found}:
        ordered, settled, counted = (
            found.get((basis, year), ZERO) for basis in ("ordered", "settled", "counted")
        )
        assert ZERO <= counted <= settled <= ordered <= kept
    assert len({year for _, year in found}) <= 1
    if ended or paid is None:
        assert found == {}


# --- to whom one belongs -------------------------------------------------------------------------


def test_nobody_belongs_to_a_unit_that_has_not_agreed(place, session):
    employment = place.ask()
    order = place.buys()

    with pytest.raises(Refusal, match="no unit had agreed"):
        operations.credit_order(session, order.id, by=place.by, now=NOW)

    assert employment.state is EmploymentState.ASKED
    assert place.figures() == {}
    assert order.credit_organisation_id is None


def test_a_wrong_code_names_no_unit_and_the_social_credit_code_names_one(place, session):
    with pytest.raises(Invalid, match="correct"):
        place.ask(code="ZZZZ9999")

    assert place.ask(code=f" {place.body.uscc.lower()} ").organisation_id == place.body.id


def test_a_unit_that_must_not_be_named_is_found_by_its_own_code_only(place, session):
    place.body.sensitive = True
    session.flush()

    with pytest.raises(Invalid):
        place.ask(code=place.body.uscc)
    assert place.ask().state is EmploymentState.ASKED


def test_an_old_code_works_no_longer(place, session):
    old = sales.renew_employer_code(session, place.body.id, by=place.approver, now=NOW).code
    sales.renew_employer_code(session, place.body.id, by=place.approver, now=NOW)

    with pytest.raises(Invalid):
        place.ask(code=old)


def test_a_person_belongs_to_one_unit_at_a_time(place, session):
    first = place.belongs()
    other = canteens.unit(session, "水市镇中心学校")
    code = sales.renew_employer_code(session, other.organisation_id, by=place.approver, now=NOW)

    with pytest.raises(Refusal, match="End that first"):
        place.ask(code=code.code)
    sales.end_employment(session, first.id, by=place.by, now=NOW)
    second = place.ask(code=code.code)
    with pytest.raises(Invalid):  # today is the first one's last day
        sales.agree_employment(
            session, second.id, organisation_id=other.organisation_id, valid_from=TODAY,
            by=place.approver, now=NOW,
        )  # fmt: skip
    tomorrow = NOW + timedelta(days=1)
    sales.agree_employment(
        session, second.id, organisation_id=other.organisation_id,
        valid_from=TODAY + timedelta(days=1), by=place.approver, now=tomorrow,
    )  # fmt: skip

    assert differences(session) == []


def test_nobody_decides_about_themselves_or_for_another_unit(place, session):
    code = sales.renew_employer_code(session, place.body.id, by=place.approver, now=NOW).code
    own = sales.ask_employer(
        session, place.approver.user_id, code=code, name="冉", by=place.approver, now=NOW
    )
    with pytest.raises(Refusal, match="Somebody else"):
        place.agree(own)

    other = canteens.unit(session, "水市镇中心学校")
    asked = place.ask(code=code)
    with pytest.raises(Missing):
        sales.agree_employment(
            session, asked.id, organisation_id=other.organisation_id, valid_from=TODAY,
            by=place.approver, now=NOW,
        )  # fmt: skip
    assert {own.state, asked.state} == {EmploymentState.ASKED}


@pytest.mark.parametrize("since", [date(2025, 12, 31), TODAY + timedelta(days=1)])
def test_a_unit_agrees_from_a_day_of_this_year_that_has_come(place, since):
    asked = place.ask()

    with pytest.raises(Invalid):
        place.agree(asked, since)

    assert asked.valid_from is None


# --- what counts ---------------------------------------------------------------------------------


def test_an_order_counts_step_by_step_and_falls_with_what_goes_back(place, session):
    place.belongs()
    order = place.buys(3, credited=True)
    price = line_of(session, order).amount.split([1, 1, 1])[0]

    place.follow(order, NOW)
    assert place.figures() == {"ordered": price * 3}
    place.completes(order)
    place.follow(order)
    assert place.figures() == dict.fromkeys(("ordered", "settled", "counted"), price * 3)
    place.gets_back(order, 1)
    place.follow(order)
    assert place.figures() == dict.fromkeys(("ordered", "settled", "counted"), price * 2)

    assert place.follow(order) == []
    assert differences(session) == []


def test_an_unpaid_order_and_a_cancelled_one_count_nothing(place, session):
    place.belongs()
    order = place.buys(credited=True, paid=False)
    place.follow(order, NOW)
    assert place.figures() == {}

    paid = place.buys(credited=True)
    place.follow(paid, NOW)
    payments.cancel_citizen_order(session, paid.id, reason="by the buyer", by=place.by, now=LATER)
    place.follow(paid)

    assert place.figures() == {}
    assert session.scalar(sa.select(sa.func.count(QuotaMovement.id))) == 2
    assert differences(session) == []


def test_an_order_is_credited_afterwards_and_taken_back_within_the_policys_days(place, session):
    place.belongs()
    order = place.buys()
    late = NOW + timedelta(days=91)

    operations.credit_order(session, order.id, by=place.by, now=LATER)
    operations.credit_order(session, order.id, by=place.by, now=LATER)
    assert place.figures() == {"ordered": order.goods}
    operations.take_credit_back(session, order.id, by=place.by, now=LATER)
    assert place.figures() == {}
    operations.credit_order(session, order.id, by=place.by, now=LATER)
    with pytest.raises(Refusal, match="could be changed until"):
        operations.take_credit_back(session, order.id, by=place.by, now=late)
    other = place.buys(1)
    with pytest.raises(Refusal, match="could be changed until"):
        operations.credit_order(session, other.id, by=place.by, now=late)

    assert place.figures() == {"ordered": order.goods}
    assert session.scalars(sa.select(StaffCredit.order_id)).all() == [order.id]
    assert differences(session) == []


def test_what_was_ordered_before_or_after_one_belonged_is_not_credited(place, session):
    before = place.buys(1)
    tomorrow = NOW + timedelta(days=1)
    employment = place.agree(place.ask(), TODAY + timedelta(days=1), now=tomorrow)
    sales.end_employment(
        session, employment.id, organisation_id=place.body.id, by=place.approver, now=tomorrow
    )
    last_day = place.buys(1, now=tomorrow, credited=True)
    after = place.buys(1, now=NOW + timedelta(days=2), credited=True)

    for order in (before, after):
        with pytest.raises(Refusal, match="no unit had agreed"):
            operations.credit_order(session, order.id, by=place.by, now=LATER)
    for order in (before, after, last_day):
        place.follow(order)

    assert place.figures() == {"ordered": last_day.goods}


def test_somebody_elses_order_is_not_credited(place, session):
    place.belongs()
    theirs = makers.paid_order(session, place.radish, user_id=makers.user(session, "别人").id)

    with pytest.raises(Missing):
        operations.credit_order(session, theirs.id, by=place.by, now=NOW)
    assert theirs.credit_organisation_id is None


def test_where_staff_do_not_count_nothing_is_credited(session):
    place = place_in(session, needs_review=False, staff_counts=False)
    place.belongs()
    wished = place.buys(credited=True)

    with pytest.raises(Refusal, match="do not count"):
        operations.credit_order(session, place.buys(1).id, by=place.by, now=NOW)
    place.follow(wished, NOW)

    assert place.figures() == {}
    assert differences(session) == []


def test_a_reviewed_order_counts_where_reviews_are_asked_for(session):
    place = place_in(session, needs_review=True)
    place.belongs()
    order = place.buys(credited=True)
    place.completes(order)
    place.follow(order)
    assert set(place.figures()) == {"ordered", "settled"}

    sales.review_line(
        session, line_of(session, order).id, stars=5, text="脆", by=place.by, now=LATER
    )
    place.follow(order, LATER)

    assert place.figures()["counted"] == order.goods
    assert differences(session) == []


def test_the_worker_finds_what_happened_and_nothing_when_nothing_did(place, session):
    place.belongs()
    order = place.buys(credited=True)
    assert orders_to_follow(session, now=NOW) == [order.id]
    place.follow(order, NOW)
    quiet = NOW + timedelta(hours=2)
    assert orders_to_follow(session, now=quiet) == []

    place.completes(order)
    assert differences(session) == [], "what is not followed yet is late, not wrong"
    assert orders_to_follow(session, now=LATER) == [order.id]
    place.follow(order)
    place.gets_back(order, 1, now=LATER + timedelta(hours=3))

    assert orders_to_follow(session, now=LATER + timedelta(hours=4)) == [order.id]


def test_the_check_finds_a_movement_nobody_should_have_written(place, session):
    place.belongs()
    order = place.buys(credited=True)
    place.follow(order, NOW)
    session.execute(
        sa.insert(QuotaMovement).values(
            unit_id=place.unit.id, year=2026, basis=Basis.ORDERED, purpose=Purpose.STAFF,
            channel="platform", order_id=order.id, amount=Money(1), on=TODAY, cause="forged",
            **makers.stamp(WORKER, NOW),
        )
    )  # fmt: skip

    assert any(each.startswith("agencies.figures") for each in differences(session))


@given_examples(
    steps=st.lists(
        st.sampled_from(["credit", "back", "complete", "refund", "follow", "end"]),
        min_size=2, max_size=8,
    )
)  # fmt: skip
@settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_whatever_happens_the_credit_is_what_was_kept(place, session, steps):
    """Σ signed movements of an order = what its own rows say; never more than was paid."""
    place.lin = makers.user(session, "林溪")
    employment = place.agree(place.ask(code=place.body.uscc))
    order = place.buys(3)
    at, completed, back = NOW, False, 0
    for step in steps:
        at += timedelta(hours=1)
        if step == "credit":
            operations.credit_order(session, order.id, by=place.by, now=at)
        elif step == "back":
            operations.take_credit_back(session, order.id, by=place.by, now=at)
        elif step == "complete" and not completed:
            place.completes(order, now=at)
            completed = True
        elif step == "refund" and completed and back < 3:
            place.gets_back(order, 1, now=at)
            back += 1
        elif step == "end":
            sales.end_employment(session, employment.id, by=place.by, now=at)
        elif step == "follow":
            place.follow(order, at)
    place.follow(order, at)

    kept = order.goods - sum((line.amount for line in _gone(session, order)), ZERO)
    credited = order.credit_organisation_id is not None
    bases = ("ordered", "settled", "counted") if completed else ("ordered",)
    assert place.figures(order) == (dict.fromkeys(bases, kept) if credited and kept else {})
    assert kept <= order.goods
    [check] = [each for each in CHECKS if each.name == "agencies.figures"]
    assert [*check.run(session)] == []


def _gone(session, order):
    from orders.payments.models import RefundLine

    return session.scalars(
        sa.select(RefundLine).join(Refund).where(Refund.order_id == order.id)
    ).all()


# --- pages ---------------------------------------------------------------------------------------


def test_a_citizen_names_their_unit_the_unit_agrees_and_an_order_is_credited(app, db):
    with given(db) as session:
        place = place_in(session, needs_review=False)
        approver = session.get(User, place.approver.user_id)
        order = place.buys(1)
        unit_id, goods = place.unit.id, order.goods
    desk, citizen = person(app, approver), person(app, place.lin)

    desk.open("/canteen/staff").press("Make a code")
    code = desk.page.select_one("p.fig.code").get_text()
    citizen.open("/account/employer").press(
        "Ask my unit", **{"Your unit's code": code.lower(), "Where you work there": "三年级"}
    ).sees("Asked")
    desk.open("/canteen/staff").sees("林溪", "三年级").press("Agree").sees("Agreed.")
    citizen.open("/account/employer").sees("Confirmed", "黔江区实验小学")
    citizen.open("/account/orders").press("Credit it to 黔江区实验小学").sees("Credited to")

    desk.open("/canteen/staff").sees(str(goods).removeprefix("¥")).does_not_see(order.number)
    desk.open("/canteen/quota").sees("a staff order").does_not_see(order.number)
    citizen.open("/account/orders").press("Credit it to nobody").sees("credited to nobody")
    with db.reading() as session:
        assert sums_of_staff(session, unit_id, 2026)[place.lin.id].ordered == ZERO
        assert [*audit.verify(session)] == []

    desk.open("/canteen/staff").press("End").sees("Ended.")
    citizen.open("/account/employer").sees("Earlier units", "Name your unit")


def test_a_unit_declines_and_says_why(app, db):
    with given(db) as session:
        place = place_in(session)
        place.ask()
        desk = session.get(User, place.approver.user_id)

    person(app, desk).open("/canteen/staff").press("Decline", reason="查无此人").sees("Declined.")

    person(app, place.lin).open("/account/employer").sees("查无此人", "Name your unit")


def test_only_who_decides_has_the_buttons(app, db):
    with given(db) as session:
        place = place_in(session)
        place.ask()
        buyer = makers.member(session, place.body, Role.BUYER, name="田采购")

    page = person(app, buyer).open("/canteen/staff").sees("Your approver or union clerk decides.")

    assert not page.page.find("button", string="Agree")
    answer = page.client.post("/canteen/staff/1/agree", data={
        "csrf_token": page.page.find(attrs={"name": "csrf_token"})["value"], "once": "o" * 24,
        "from-1": "2026-11-23",
    })  # fmt: skip
    assert answer.status_code == 403
    with db.reading() as session:
        assert session.scalars(sa.select(Employment)).one().state is EmploymentState.ASKED


def test_the_desks_page_costs_the_same_however_many_belong_to_it(app, db, statements):
    with given(db) as session:
        place = place_in(session, needs_review=False)
        place.belongs()
        desk = session.get(User, place.approver.user_id)
    page = person(app, desk)

    def cost():
        statements.clear()
        page.open("/canteen/staff")
        return len(statements)

    few = cost()
    with given(db) as session:
        place.session = session
        for n in range(12):
            place.agree(place.ask(makers.user(session, f"职工{n}"), code=place.body.uscc))

    assert cost() == few

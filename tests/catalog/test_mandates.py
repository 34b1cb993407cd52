"""What another grew is sold only as long as its mandate holds."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given as each_of
from hypothesis import strategies as st

from catalog.products import operations as products
from catalog.products.models import MandatedProduct, OffReason, Product, ProductState
from catalog.products.queries import mandates_behind, without_mandate
from catalog.suppliers import operations, queries, rules
from catalog.suppliers.models import Mandate, MandateState, SupplierKind, SupplierState
from kernel.actors import WORKER, Role
from kernel.errors import Forbidden, Invalid, Missing, Refusal
from kernel.outbox import Job
from kernel.people import Organisation
from kernel.storage import Blob
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY, days
from tests.web import given, person

PDF = b"%PDF-1.7 mandate"
PAPER = Blob("1" * 64, len(PDF), "application/pdf", "委托书.pdf")
UNTIL = TODAY + timedelta(days=40)


class House:
    """A tea maker, and a cooperative that sells its tea beside its own goods."""

    def __init__(self, session):
        self.session = session
        self.grower = makers.supplier(session, "安心红茶厂", code="AX")
        self.seller = makers.supplier(session, "水市镇联合社", code="SS")
        platform = makers.organisation(session, "溯田")
        self.users, self.bodies = {}, {}
        for name, supplier in (("grower", self.grower), ("seller", self.seller)):
            body = session.get(Organisation, supplier.organisation_id)
            self.bodies[name] = body
            self.users[name] = makers.member(session, body, Role.MANAGER, name=name)
        self.users["operator"] = makers.member(session, platform, Role.OPERATOR, name="温平台")
        self.tea = makers.sold_product(session, (50_000,), of=self.seller)
        self.radish = makers.sold_product(session, (50_000,), of=self.seller)

    def by(self, name):
        return makers.acting(self.users[name], Role.MANAGER, self.bodies[name])

    def propose(self, *, goods=None, by=None, now=NOON, **given):
        given = {
            "principal_id": self.grower.id, "number": "委2026-1", "covers": "红茶",
            "valid_from": TODAY, "valid_to": UNTIL, "paper": PAPER, **given,
        }  # fmt: skip
        by = by or self.by("seller")
        made = operations.propose_mandate(self.session, self.seller.id, **given, by=by, now=now)
        ids = [self.tea.id] if goods is None else goods
        products.name_goods(self.session, self.seller.id, made.id, ids, by=by, now=now)
        return made

    def agree(self, mandate, now=NOON):
        return operations.agree_mandate(
            self.session, self.grower.id, mandate.id, by=self.by("grower"), now=now
        )


@pytest.fixture
def house(session):
    return House(session)


def letters(session):
    return [
        (job.arguments["to"], job.arguments["subject"])
        for job in session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id))
    ]


def sweep(session, day):
    return products.take_off_lapsed(session, by=WORKER, now=NOON + days(day))


def test_goods_leave_the_shelf_the_day_after_their_mandate_ends_and_return_with_the_next(
    house, session
):
    house.agree(house.propose())
    assert mandates_behind(session, TODAY)[house.tea.id].principal.id == house.grower.id
    assert sweep(session, 40) == []
    before = len(letters(session))
    assert [each.id for each in sweep(session, 41)] == [house.tea.id]
    assert sweep(session, 41) == []
    assert (house.tea.state, house.tea.off_reason) == (ProductState.OFF_SALE, OffReason.MANDATE)
    assert house.radish.state is ProductState.ON_SALE
    told = letters(session)[before:]
    assert {to for to, _ in told} == {
        house.users["seller"].email, house.users["operator"].email,
    }  # fmt: skip
    assert len(told) == 2
    with pytest.raises(Refusal) as refusal:
        products.put_on_sale(session, house.tea.id, by=SOMEBODY, now=NOON + days(41))
    assert "mandate" in str(refusal.value.reasons[0]).lower()
    assert house.tea.state is ProductState.OFF_SALE
    house.agree(
        house.propose(
            number="委2026-2", valid_from=UNTIL, valid_to=UNTIL + timedelta(days=365),
            now=NOON + days(39),
        ),
        NOON + days(39),
    )  # fmt: skip
    products.put_on_sale(session, house.tea.id, by=SOMEBODY, now=NOON + days(41))
    assert house.tea.state is ProductState.ON_SALE


def test_a_mandate_that_nobody_agreed_to_neither_allows_nor_forbids(house, session):
    proposed = house.propose()
    assert without_mandate(session, TODAY) == set()
    assert house.tea.id not in mandates_behind(session, TODAY)
    with pytest.raises(Refusal, match="Whoever grew"):
        operations.agree_mandate(
            session, house.seller.id, proposed.id, by=house.by("seller"), now=NOON
        )
    with pytest.raises(Invalid):
        operations.decline_mandate(
            session, house.grower.id, proposed.id, sentence=" ", by=house.by("grower"), now=NOON
        )
    operations.decline_mandate(
        session, house.grower.id, proposed.id, sentence="没签过", by=house.by("grower"), now=NOON
    )
    assert (proposed.state, proposed.sentence) == (MandateState.DECLINED, "没签过")
    assert sweep(session, 0) == []
    with pytest.raises(Refusal, match="decided already"):
        house.agree(proposed)
    assert proposed.state is MandateState.DECLINED


def test_whoever_sells_only_for_others_needs_a_mandate_for_everything_and_to_apply(house, session):
    house.agree(house.propose())
    house.seller.kind = SupplierKind.TRADER
    session.flush()
    assert without_mandate(session, TODAY) == {house.radish.id}
    trader = makers.supplier(session, "黔货商贸", admitted=False)
    trader.kind = SupplierKind.TRADER
    with pytest.raises(Refusal) as refusal:
        makers.apply(session, trader, kind=SupplierKind.TRADER)
    assert any("mandate" in str(each) for each in refusal.value.reasons)
    assert trader.state is SupplierState.DRAFT
    assert house.seller.id not in {
        each.id for each in queries.possible_principals(session, house.grower.id)
    }


def test_a_mandate_falls_with_whoever_gave_it(house, session):
    house.agree(house.propose())
    house.grower.state = SupplierState.SUSPENDED
    session.flush()
    assert products.take_off_all(session, house.grower.id, reason="暂停", **DID) == []
    assert house.tea.off_reason is OffReason.MANDATE


DID = {"by": SOMEBODY, "now": NOON}


def test_a_wrong_paper_is_refused_and_nothing_is_recorded(house, session):
    for wrong, field in (
        ({"principal_id": house.seller.id}, "principal"), ({"number": " "}, "number"),
        ({"covers": ""}, "covers"), ({"valid_to": TODAY - timedelta(days=1)}, "valid_to"),
        ({"valid_from": TODAY - timedelta(days=9), "valid_to": TODAY - timedelta(days=3)},
         "valid_to"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as invalid:
            house.propose(**wrong)
        assert set(invalid.value.errors) == {field}
    assert session.scalar(sa.select(sa.func.count()).select_from(Mandate)) == 0
    first = house.propose()
    assert house.propose().id == first.id
    with pytest.raises(Refusal, match="otherwise"):
        house.propose(covers="绿茶")
    with pytest.raises(Missing):
        house.propose(number="3", goods=[makers.product(session).id])
    with pytest.raises(Forbidden):
        house.propose(number="4", by=makers.weigher(session, house.seller))


def test_after_it_is_agreed_only_whoever_gave_it_names_further_goods(house, session):
    mandate = house.agree(house.propose())
    with pytest.raises(Refusal, match="agreed already"):
        products.name_goods(
            session, house.seller.id, mandate.id, [house.radish.id], by=house.by("seller"), now=NOON
        )
    products.name_goods(
        session, house.grower.id, mandate.id, [house.radish.id, house.tea.id],
        by=house.by("grower"), now=NOON,
    )  # fmt: skip
    named = session.scalars(sa.select(MandatedProduct.product_id)).all()
    assert sorted(named) == sorted([house.tea.id, house.radish.id])


def test_both_sides_and_the_platform_hear_30_15_and_7_days_before_each_time_once(house, session):
    house.agree(house.propose())
    sent = []
    for day in range(42):
        for _ in range(2):
            operations.warn_of_mandates(session, now=NOON + days(day))
        session.flush()
        sent.append(len(letters(session)))
    grew = {day: sent[day] - sent[day - 1] for day in range(1, 42) if sent[day] > sent[day - 1]}
    assert grew == {10: 3, 25: 3, 33: 3}


def test_a_mandate_that_goes_on_warns_nobody(house, session):
    house.agree(house.propose(valid_to=TODAY + timedelta(days=5)))
    assert len(queries.ending_mandates(session, TODAY)) == 1
    house.agree(house.propose(number="2", valid_from=TODAY + timedelta(days=6), valid_to=UNTIL))
    assert queries.ending_mandates(session, TODAY) == []


@each_of(
    st.sampled_from(["cooperative", "trader"]),
    st.lists(st.tuples(st.booleans(), st.booleans()).map(lambda t: (t[0] or t[1], t[1]))),
)
def test_something_is_sold_as_its_own_or_under_a_mandate_that_holds(kind, held):
    allowed = rules.may_sell(kind, held)
    bound = kind == "trader" or any(once for once, _ in held)
    assert allowed == (not bound or any(now for _, now in held))


@pytest.fixture
def desks(db, app):
    with given(db) as session:
        house = House(session)
        tea = house.tea.slug

    class Desks:
        slug = tea
        users = house.users

        def sign_in(self, who, lang="en"):
            return person(app, self.users[who], lang=lang)

        def product(self):
            with db.reading() as reading:
                return reading.scalars(sa.select(Product).where(Product.slug == tea)).one()

    return Desks()


def test_a_mandate_on_the_pages_of_both_sides_and_in_the_shop(desks):
    page = desks.sign_in("seller").open("/coop/mandates")
    page.sees("We sell only what is our own.")
    page.press("Record the mandate", status=422, number="委2026-1", covers="红茶")
    page.sees("Please choose a file.", "Please choose one.")
    assert page.page.find(id="f-covers")["value"] == "红茶"
    grower = page.page.find(id="f-principal").find("option", string="安心红茶厂")["value"]
    tea = desks.product().id
    page.press(
        "Record the mandate", principal=grower, number="委2026-1", covers="红茶",
        valid_from="2026-11-01", valid_to="2027年10月31日", goods=[str(tea)],
        paper=(io.BytesIO(PDF), "委托书.pdf"),
    )  # fmt: skip
    page.sees("It holds as soon as whoever grew the goods has agreed.", "Proposed")
    other = desks.sign_in("grower").open("/coop/mandates")
    other.press("Agree to 委2026-1").sees("Agreed. It holds on the days it names.", "valid")
    shop = person(desks.sign_in("seller").client.application).open(f"/products/{desks.slug}")
    shop.sees("Grown and made by", "安心红茶厂", "Sold for them by", "水市镇联合社")
    sheet = desks.sign_in("operator").open("/admin/suppliers/SS")
    sheet.sees("委2026-1")
    sheet.press("End 委2026-1", sentence="委托书系伪造").sees("1 product is off sale.")
    assert desks.product().off_reason is OffReason.MANDATE
    again = desks.sign_in("seller").open("/coop/mandates")
    again.sees("1 product is off sale because a mandate ended", "委托书系伪造")
    again.does_not_see("on sale again")
    desks.sign_in("seller", "zh").open("/coop/mandates").sees("委托销售", "已终止")


def test_the_page_costs_the_same_with_many_mandates(desks, statements):
    seller = desks.sign_in("seller")
    seen = []
    for n in range(3):
        page = seller.open("/coop/mandates")
        grower = page.page.find(id="f-principal").find("option", string="安心红茶厂")["value"]
        page.press(
            "Record the mandate", principal=grower, number=f"委{n}号", covers="红茶",
            valid_from="2026-11-01", valid_to="2027-10-31",
            paper=(io.BytesIO(PDF), "委托书.pdf"),
        )  # fmt: skip
        statements.clear()
        seller.open("/coop/mandates")
        seen.append(len(statements))
    assert len(set(seen)) == 1, seen

"""The cooperative's desk, each page as its least privileged user."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from catalog.households.operations import add_plot
from catalog.lots.models import Confirmation, Contribution, Lot, LotState, SlipState, WeighSlip
from catalog.products.models import PurchasePrice
from kernel.actors import Role
from kernel.money import Money
from kernel.people import Organisation
from orders.shares.models import BenefitModel
from orders.shares.operations import publish_rule
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.web import person


class Coop:
    """A cooperative with one product, one household, and somebody in each role."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with db.transaction() as session:
            self.supplier = makers.supplier(session, "水市镇联合社")
            body = session.get(Organisation, self.supplier.organisation_id)
            self.people = {
                role: makers.member(session, body, role, name=f"{role.value}")
                for role in (Role.WEIGHER, Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER)
            }
            self.product = makers.product(session, self.supplier, most_yield_kg_per_mu=2_500)
            self.home = makers.household(session, "张三丰", phone="13812345678")
            add_plot(
                session, self.home.id, place="屋后", area_mu_100=120, crop=self.product.code,
                year=2026, by=SOMEBODY, now=NOON,
            )  # fmt: skip
            makers.purchase_price(session, self.product)

    def sign_in(self, role, lang="en"):
        return person(self.app, self.people[role], lang=lang)

    def rows(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()


@pytest.fixture
def coop(db, app):
    return Coop(db, app)


def send(page, path, **fields):
    """A form that this page does not offer, sent all the same; its status."""
    form = page.page.find("input", attrs={"name": "once"}).find_parent("form")
    tokens = {
        field["name"]: field["value"]
        for field in form.find_all("input")
        if field.get("name") in ("once", "csrf_token")
    }
    return page.client.post(path, data=tokens | fields).status_code


PAYS = (Role.ACCOUNTANT, Role.MANAGER)
GOODS = {"Gross kg": "１２８．４", "Tare kg": "3.2", "Deduction %": "3"}


def at_the_scale(coop, lang="en"):
    weigher = coop.sign_in(Role.WEIGHER, lang)
    return weigher.open("/coop/weigh-in?q=zsf").follow("张三丰")


def test_a_weigher_finds_the_household_weighs_and_prints(coop):
    page = at_the_scale(coop).sees("大山村", "Space radish First", "3,300 kg at most")
    page.press("Write the slip", **GOODS)
    page.sees("Slip WS26-000001", "121.444 kg", "¥388.62", "Confirmed by 张三丰 Signature")
    page.follow("Print").sees("Weigh slip", "121.444 kg", "¥388.62")
    [slip] = coop.rows(WeighSlip)
    assert (slip.state, slip.confirmation) == (SlipState.CONFIRMED, Confirmation.SIGNATURE)
    assert slip.made_by_id == coop.people[Role.WEIGHER].id


def test_a_double_click_writes_one_slip(coop):
    page = at_the_scale(coop)
    page.press("Write the slip", **GOODS)
    page.again().sees("already done")
    assert len(coop.rows(WeighSlip)) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"Gross kg": "viel"}, "Enter a weight in kilograms"),
        ({"Gross kg": "-5"}, "Enter a weight in kilograms"),
        ({"Gross kg": "9" * 30}, "Enter a weight in kilograms"),
        ({"Tare kg": "130"}, "The tare must be less"),
        ({"Deduction %": "100"}, "Enter a percentage"),
        ({"goods": "1:golden"}, "Please choose what was brought"),
        ({"confirmation": "proxy"}, "Please fill this in"),
        ({"confirmation": "text_code"}, "Please choose one"),
        ({"confirmation": "card_code", "card_code": "123456"}, "has no card yet"),
        ({"asked_price": "3.5"}, "Please fill this in"),
        ({"asked_price": "0", "reason": "霜前"}, "Enter a price in yuan"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(coop, typed, said):
    page = at_the_scale(coop)
    page.press("Write the slip", status=422, **(GOODS | typed)).sees(said, "张三丰")
    kept = {field.get("name"): field.get("value") for field in page.page.find_all("input")}
    assert kept["tare"] == typed.get("Tare kg", "3.2")
    assert coop.rows(WeighSlip) == []


def test_a_household_may_confirm_later_and_a_slip_may_become_void(coop):
    page = at_the_scale(coop)
    page.press("Write the slip", **GOODS, confirmation="later").sees("Waits for the household")
    page.open("/coop/weigh-in").sees("Today's slips", "张*", "Waits for the household")
    page.open("/coop/slips/WS26-000001")
    page.press("The household confirms", status=422, confirmation="proxy").sees(
        "Please fill this in"
    )
    page.press("The household confirms", confirmation="proxy", confirmed_by="女儿 张小妹").sees(
        "has confirmed slip", "女儿 张小妹"
    )
    page.press("Void", Why="称错了").sees("is void", "称错了")
    [slip] = coop.rows(WeighSlip)
    assert slip.state is SlipState.VOID


def test_another_cooperatives_slip_lot_and_household_do_not_exist(coop, db, app):
    with db.transaction() as session:
        part = makers.contribution(session, coop.product, coop.home, net_g=1_000)
        number = session.scalar(sa.select(WeighSlip.number))
        code, home = part.lot.code, coop.home.code
        stranger = makers.supplier(session, region_code="500114126000")
        body = session.get(Organisation, stranger.organisation_id)
        user = makers.member(session, body, Role.MANAGER)
    page = person(app, user)
    for path in (
        f"/coop/slips/{number}",
        f"/coop/slips/{number}/print",
        f"/coop/lots/{code}",
        f"/coop/households/{home}",
        f"/coop/weigh-in?household={home}",
    ):
        page.open(path, status=404)
    page.open("/coop/prices")
    for path in (f"/coop/lots/{code}/hold", f"/coop/slips/{number}/void"):
        assert send(page, path, reason="x") == 404
    for path in (f"/coop/slips/{number}/confirm",):
        assert send(page, path, confirmation="signature") == 404
    goods = {"goods": f"{coop.product.id}:first", "gross": "10", "confirmation": "later"}
    assert send(page, "/coop/weigh-in", household=home, **goods) == 404
    price = {"product": str(coop.product.id), "grade": "first", "price": "9"}
    day = {"valid_from": "2026-12-01", "resolution": "x"}
    assert send(page, "/coop/prices", **price, **day) == 404
    assert coop.rows(Lot)[0].state is LotState.OPEN
    assert len(coop.rows(WeighSlip)) == len(coop.rows(PurchasePrice)) == 1


def test_the_storekeeper_holds_a_lot_with_a_reason_and_releases_it(coop):
    with coop.db.transaction() as session:
        code = makers.contribution(session, coop.product, coop.home, net_g=120_000).lot.code
    page = coop.sign_in(Role.STOREKEEPER)
    page.open("/coop/lots").sees("Space radish First", "120 kg", "大山村").follow("Space radish")
    page.sees(code, "张三丰", "Taken in", "384.00")
    page.press("Hold back", status=422, Reason=" ").sees("Please fill this in")
    page.press("Hold back", Reason="复检").sees("Nothing more of lot", "复检")
    page.press("Release again", Reason="合格").sees("may be sold again")
    page.follow("Recall this lot").sees("What a recall reaches")
    page.press("Begin the recall", Reason="农残", **{"What buyers should do": "勿食用"})
    page.sees("has begun")
    assert coop.rows(Lot)[0].state is LotState.QUARANTINE


def test_a_weigher_may_look_at_lots_but_not_hold_them(coop):
    with coop.db.transaction() as session:
        code = makers.contribution(session, coop.product, coop.home, net_g=1_000).lot.code
    page = coop.sign_in(Role.WEIGHER).open(f"/coop/lots/{code}")
    assert page.page.find("button", string="Hold back") is None
    page.open(f"/coop/weigh-in?household={coop.home.code}")
    assert send(page, f"/coop/lots/{code}/hold", reason="x") == 403
    assert send(page, "/coop/prices") == 403
    assert coop.rows(Lot)[0].state is LotState.OPEN


def test_a_price_is_published_with_its_resolution(coop):
    page = coop.sign_in(Role.ACCOUNTANT).open("/coop/prices").sees("3.20", "2026-09")
    new = {"Price": "3.4", "In force from": "2026-11-24", "Resolution": "2026-11"}
    page.press("Publish", status=422, **(new | {"Resolution": "", "Price": "0"}))
    page.sees("Please fill this in", "Enter a price in yuan")
    page.press("Publish", status=422, **(new | {"In force from": "2026-11-01"})).sees("or later")
    page.press("Publish", **new).sees("The price is published", "3.40")
    page.again()
    assert [price.price.yuan for price in coop.rows(PurchasePrice)] == ["3.20", "3.40"]
    weigher = coop.sign_in(Role.WEIGHER).open("/coop/prices")
    assert weigher.page.find("button", string="Publish") is None


def test_a_cooperative_sees_its_producers_without_their_secrets(coop):
    with coop.db.transaction() as session:
        makers.contribution(session, coop.product, coop.home, net_g=120_000)
        makers.household(session, "没来过")
    page = coop.sign_in(Role.ACCOUNTANT)
    page.open("/coop/households").sees("张三丰", "384.00").does_not_see("没来过", "13812345678")
    page.follow("张三丰").sees("138****5678", "屋后", "WS26-000001").does_not_see("13812345678")
    page.open("/coop/households?q=李").sees("No household found")


def test_slips_are_listed_for_who_may_take_them_in(coop):
    at_the_scale(coop).press("Write the slip", **GOODS)
    weigher = coop.sign_in(Role.WEIGHER).open("/coop/slips").sees("1 waits to be taken in")
    assert weigher.page.find("input", attrs={"name": "slip"}) is None
    keeper = coop.sign_in(Role.STOREKEEPER).open("/coop/slips")
    assert keeper.page.find("input", attrs={"name": "slip"}) is not None
    assert coop.rows(Contribution) == []
    assert coop.rows(WeighSlip)[0].amount == Money(38_862)


@pytest.mark.parametrize("role", [Role.WEIGHER, Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER])
def test_every_page_opens_in_both_languages(coop, role):
    with coop.db.transaction() as session:
        code = makers.contribution(session, coop.product, coop.home, net_g=1_000).lot.code
    for lang in ("zh", "en"):
        page = coop.sign_in(role, lang)
        for path in ("slips", "slips/WS26-000001", "lots", f"lots/{code}", "prices", "households"):
            page.open(f"/coop/{path}")


def test_lists_take_the_same_number_of_queries_however_long(coop, statements):
    def count(path):
        page = coop.sign_in(Role.MANAGER).open(path)
        statements.clear()
        page.open(path)
        return len(statements)

    with coop.db.transaction() as session:
        makers.contribution(session, coop.product, coop.home, net_g=1_000)
    paths = ("/coop/slips", "/coop/lots", "/coop/households", "/coop/weigh-in")
    before = [count(path) for path in paths]
    with coop.db.transaction() as session:
        for number in range(4):
            makers.contribution(
                session, coop.product, coop.home, net_g=1_000, at=NOON - makers.days(number)
            )
    assert [count(path) for path in paths] == before


def test_today_says_what_needs_the_cooperative(coop):
    with coop.db.transaction() as session:
        makers.contribution(
            session, coop.product, coop.home, net_g=1_000, best_before=makers.TODAY + makers.days(1)
        )
        makers.slip(session, coop.product, coop.home, net_g=5_000, confirmed=False)
        makers.slip(session, coop.product, coop.home, net_g=5_000)
    for role in coop.people:
        page = coop.sign_in(role).open("/coop/")
        page.sees("Today, 23 Nov", "1 slip waits", "1 waits to be taken in", "tomorrow")
        page.sees("Everything that was ordered has left")
        money = page.sees if role in PAYS else page.does_not_see
        money("No payout is under way")
    coop.sign_in(Role.MANAGER, "zh").open("/coop/").sees("星期一", "等农户确认", "快到期的批次")


def test_from_the_scale_to_the_store_by_two_people(coop):
    with coop.db.transaction() as session:
        publish_rule(
            session, coop.product.id, model=BenefitModel.BUY_OUT, retained_bp=0, resolution="",
            costs=[], valid_from=date(2026, 1, 1), by=SOMEBODY, now=NOON,
        )  # fmt: skip
    at_the_scale(coop).press("Write the slip", **GOODS)
    keeper = coop.sign_in(Role.STOREKEEPER).open("/coop/slips")
    keeper.press("Take into the store").sees("1 slip is in the store now", "Nothing to take in")
    keeper.again()
    keeper.open("/coop/lots").sees("121.444 kg").follow("Space radish")
    keeper.sees("张三丰", "388.62", "Taken in")
    [part] = coop.rows(Contribution)
    assert (part.on_hand, part.cost) == (121_444, Money(38_862))


def test_a_manager_who_weighed_cannot_take_in(coop):
    manager = coop.sign_in(Role.MANAGER).open(f"/coop/weigh-in?household={coop.home.code}")
    manager.press("Write the slip", **GOODS).open("/coop/slips").sees("yours")
    [slip] = coop.rows(WeighSlip)
    assert manager.page.find("button", string="Take into the store") is None
    assert send(manager, "/coop/slips/take-in", slip=str(slip.id)) == 409
    assert coop.rows(Contribution) == []

"""From a draft to the shop and off it again: the cooperative proposes, the operator decides."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from catalog.lots.queries import packs_for_canteens, shelf
from catalog.products import operations as products
from catalog.products import queries
from catalog.products.checks import CHECKS
from catalog.products.models import (
    Audience,
    ListPrice,
    OffReason,
    Pack,
    PackPrice,
    PriceList,
    Product,
    ProductPhoto,
    ProductState,
    ProductVersion,
    RejectReason,
    Shelf,
    VersionState,
)
from kernel.actors import Role
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import Money, Price
from kernel.people import Organisation, OrganisationKind
from kernel.pictures import put_picture
from kernel.storage import Storage
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


class Shop:
    """A cooperative with a radish on sale, and the operator."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with given(db) as session:
            self.supplier = makers.supplier(session, "水市镇联合社")
            body = session.get(Organisation, self.supplier.organisation_id)
            us = makers.organisation(session, "溯田", kind=OrganisationKind.PLATFORM)
            self.people = {
                Role.MANAGER: makers.member(session, body, Role.MANAGER, name="经理"),
                Role.WEIGHER: makers.member(session, body, Role.WEIGHER, name="过磅"),
                Role.OPERATOR: makers.member(session, us, Role.OPERATOR, name="运营"),
            }
            self.radish = makers.sold_product(
                session, of=self.supplier, slug="radish", harvest=[["10-01", "12-31"]]
            )
        with db.reading() as session:
            packs = session.scalars(
                sa.select(Pack).where(Pack.product_id == self.radish.id).order_by(Pack.id)
            ).all()
            self.box, self.kilo = packs

    def open(self, path, role=Role.MANAGER, lang="en"):
        return person(self.app, self.people[role], lang=lang).open(path)

    def one(self, model, *where):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).where(*where)).one()

    def all(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()


@pytest.fixture
def shop(db, app):
    return Shop(db, app)


NEW = {
    "Name in Chinese": "高山白萝卜", "Name in English": "Mountain radish", "Code": "r77",
    "In short, in Chinese": "霜后更甜", "In short, in English": "Sweeter after frost",
    "Shelf life in days": "２０",
}  # fmt: skip
FIRST_PACK = {
    "p1-name_zh": "5 斤一袋", "p1-name_en": "Bag of 2.5 kg", "p1-content": "5斤",
    "p1-price": "18.00", "p1-steps": "3: 17.00；5：16.00",
}  # fmt: skip


def test_a_product_goes_from_draft_over_the_operators_desk_into_the_shop(shop):
    page = shop.open("/coop/products").press("Make the draft", **NEW).sees("Draft", "Mountain")
    page.press("Keep and submit for review", status=409).sees("It has no pack with a price.")
    page.press("Keep and submit for review", **FIRST_PACK, Ripe="10-15 – 12-25, 3.20-4.30").sees(
        "waits for the operator"
    )
    page.open(page.path + "/preview").sees("18.00", "nothing can be bought here", "¥7.20/kg")
    assert page.client.get("/products/mountain-radish-r77").status_code == 404
    desk = shop.open("/admin/products", Role.OPERATOR).sees("first review").follow("Mountain")
    desk.sees("Bag of 2.5 kg", "from 3 packs: ¥17.00", "10-15 – 12-25")
    desk.press("Admit").sees("the shop shows it")
    desk.again()
    shown = person(shop.app).open("/products/mountain-radish-r77")
    shown.sees("from 3: ¥17.00 each", "15 Oct–25 Dec")
    product = shop.one(Product, Product.code == "R77")
    assert product.state is ProductState.ON_SALE
    pack = shop.one(Pack, Pack.product_id == product.id)
    assert (pack.content, pack.price) == (2_500, Money(1_800))
    assert pack.steps == [[7_500, 1_700], [12_500, 1_600]]


def test_what_is_changed_waits_while_the_shop_shows_what_was_admitted(shop):
    edit = f"/coop/products/{shop.radish.id}"
    page = shop.open(edit).press("Keep and submit for review", **{"Name in English": "Red radish"})
    person(shop.app).open("/products/radish").sees("Space radish").does_not_see("Red radish")
    desk = shop.open("/admin/products", Role.OPERATOR).sees("a change").follow("Red radish")
    desk.sees("1 change", "Name in English", "Space radish", "Red radish")
    desk.press("Return it", status=422).sees("Choose at least one reason.", "fill this in")
    desk.press("Return it", reasons=["picture_mismatch"], remark="与图片不符")
    page.open(edit).sees("Returned:", "Picture mismatch", "与图片不符")
    assert shop.one(Product).name_en == "Space radish"
    page.press("Keep and submit for review", **{"In short, in English": "Red outside"})
    desk.open("/admin/products").follow("Red radish").press("Admit")
    person(shop.app).open("/search?q=red").sees("Red radish")
    assert [each.state for each in shop.all(ProductVersion)] == [
        VersionState.RETURNED, VersionState.ADMITTED,
    ]  # fmt: skip
    desk.open(f"/admin/products/{shop.all(ProductVersion)[1].id}").sees("Space radish")


def test_mistakes_are_said_at_the_field_and_nothing_typed_is_lost(shop):
    page = shop.open(f"/coop/products/{shop.radish.id}").press(
        "Keep",
        status=422,
        **{
            "Name in English": "x" * 81,
            "Shelf life in days": "-3",
            "Ripe": "whenever",
            "Sold from": "2026-13-01",
            "p1-name_zh": "袋",
            "p1-price": "１２.345",
            "p1-steps": "many: few",
        },
    )
    page.sees("At most 80 characters", "Write each span", "Enter a date", "Enter an amount")
    assert page.page.find("input", attrs={"name": "name_en"})["value"] == "x" * 81
    assert shop.all(ProductVersion) == []


def test_a_form_that_somebody_else_has_overtaken_overwrites_nothing(shop):
    edit = f"/coop/products/{shop.radish.id}"
    shop.open(edit).press("Keep", **{"Name in English": "First"})
    late = shop.open(edit)
    shop.open(edit).press("Keep", **{"Name in English": "Second"})
    late.press("Keep", status=409, **{"Name in English": "Late"}).sees(
        "saved this product meanwhile"
    )
    assert late.page.find("input", attrs={"name": "name_en"})["value"] == "Late"
    assert shop.one(ProductVersion).content["name_en"] == "Second"


def test_what_was_withdrawn_while_it_was_read_cannot_be_admitted(shop):
    edit = f"/coop/products/{shop.radish.id}"
    page = shop.open(edit).press("Keep and submit for review", **{"Name in English": "One"})
    desk = shop.open("/admin/products", Role.OPERATOR).follow("One")
    page.open(edit).press("Withdraw it to go on writing")
    page.press("Keep and submit for review", **{"Name in English": "Another"})
    desk.press("Admit", status=409).sees("changed or decided meanwhile")
    assert shop.one(Product).name_en == "Space radish"


@pytest.mark.parametrize("role", [Role.WEIGHER, Role.OPERATOR])
def test_only_who_may_edit_edits(shop, role):
    client = person(shop.app, shop.people[role]).client
    for path in ("version", "photos", "off", "end"):
        assert client.post(f"/coop/products/{shop.radish.id}/{path}").status_code in (400, 403)
    assert client.post(f"/coop/products/packs/{shop.box.id}/price").status_code in (400, 403)
    shop.open("/coop/products", Role.WEIGHER).sees("Space radish")


def test_another_cooperatives_product_does_not_exist(shop):
    with given(shop.db) as session:
        other = makers.supplier(session, "别家合作社")
        body = session.get(Organisation, other.organisation_id)
        stranger = makers.member(session, body, Role.MANAGER, name="外人")
    page = person(shop.app, stranger)
    page.open(f"/coop/products/{shop.radish.id}", status=404)
    page.open(f"/coop/products/{shop.radish.id}/preview", status=404)
    page.open("/coop/products").does_not_see("Space radish")


def test_a_price_falls_at_once_rises_a_little_and_further_only_with_the_operator(shop):
    edit = f"/coop/products/{shop.radish.id}"
    pack = f"price-{shop.box.id}"
    page = shop.open(edit)
    form = page.page.find("form", action=f"/coop/products/packs/{shop.box.id}/price")

    def change(price, steps=""):
        form = page.open(edit).page.find("form", action=f"/coop/products/packs/{shop.box.id}/price")
        data = {e["name"]: e.get("value", "") for e in form.find_all("input", type="hidden")}
        return page.client.post(
            form["action"], data={**data, "price": price, "steps": steps}, follow_redirects=True
        )

    assert form is not None
    assert pack
    assert "holds from now on" in change("28.00", "3: 27.00").text
    assert "holds from now on" in change("32.00").text
    refused = change("32.21")
    assert "rise by 15 %" in refused.text, "28.00 a moment ago: more than 15 % above it"
    assert shop.one(Pack, Pack.id == shop.box.id).price == Money(3_200)
    assert change("-1").status_code == 422
    assert [each.price.fen for each in shop.all(PackPrice)] == [2_800, 3_200]
    page.open(edit).sees("With it goes:", "¥32.21").press("Keep and submit for review")
    desk = shop.open("/admin/products", Role.OPERATOR).follow("Space radish")
    desk.sees("Price of Box of 5 kg", "¥32.00", "¥32.21").press("Admit")
    assert shop.one(Pack, Pack.id == shop.box.id).price == Money(3_221)


def test_off_sale_has_a_reason_and_the_operators_reason_binds(shop):
    edit = f"/coop/products/{shop.radish.id}"
    page = shop.open(edit).press("Take off sale", status=422).sees("Please fill this in.")
    page.press("Take off sale", why="season", reason="收完了").sees("Season", "收完了")
    person(shop.app).open("/products").does_not_see("Space radish")
    person(shop.app).open("/products/radish").sees("Not on sale at the moment")
    page.open(edit).press("Put on sale again").sees("It is on sale.")
    desk = shop.open("/admin/products", Role.OPERATOR)
    desk.press("Take off sale", why="rule_broken", reason="产地不符")
    page.open(edit).sees("Only the operator")
    assert send(page, f"{edit}/on") == 409
    assert shop.one(Product).state is ProductState.OFF_SALE
    desk.open("/admin/products").press("Put on sale again")
    assert shop.one(Product).off_reason is None


def send(page, path, **fields):
    """A form that this page does not offer, sent all the same."""
    form = page.page.find("input", attrs={"name": "once"}).find_parent("form")
    tokens = {
        each["name"]: each["value"]
        for each in form.find_all("input")
        if each.get("name") in ("once", "csrf_token")
    }
    return page.client.post(path, data=tokens | fields).status_code


def test_what_ended_is_never_sold_again_and_keeps_its_page(session):
    radish = makers.product(session, on_sale=True)
    with pytest.raises(Refusal, match="off sale first"):
        products.end_product(session, radish.id, **DID)
    products.take_off_sale(session, radish.id, reason="不做了", **DID)
    products.end_product(session, radish.id, **DID)
    products.end_product(session, radish.id, **DID)
    with pytest.raises(Refusal):
        products.put_on_sale(session, radish.id, **DID)
    with pytest.raises(Refusal, match="ended"):
        products.save_version(session, radish.id, {"name_en": "Again"}, **DID)
    assert radish.state is ProductState.ENDED
    assert shelf(session, today=TODAY) == []


def test_the_only_pack_of_a_product_on_sale_cannot_be_retired(session):
    radish = makers.product(session, on_sale=True)
    pack = makers.pack_of(radish)
    with pytest.raises(Refusal, match="only pack"):
        products.retire_pack(session, pack.id, **DID)
    assert pack.on_sale
    other = makers.pack(session, radish, price=Money(5_000), content=10_000)
    products.retire_pack(session, pack.id, **DID)
    [row] = shelf(session, today=TODAY)
    assert row.pack_id == other.id
    products.offer_pack_again(session, pack.id, **DID)
    assert pack.on_sale


@pytest.mark.parametrize(
    ("begin", "end", "offered"),
    [(0, 0, True), (1, None, False), (None, -1, False), (None, 0, True), (-1, 1, True)],
)
def test_a_product_is_sold_within_its_window_to_the_day(session, begin, end, offered):
    radish = makers.sold_product(session)
    radish.sold_from = None if begin is None else TODAY + makers.days(begin)
    radish.sold_to = None if end is None else TODAY + makers.days(end)
    session.flush()
    assert radish.offered_on(TODAY) is offered
    assert bool(shelf(session, today=TODAY)) is offered
    assert bool(packs_for_canteens(session, today=TODAY)) is offered
    if not offered:
        with pytest.raises(Refusal) as refused:
            makers.citizen_order(session, radish)
        assert "not for sale now" in str(refused.value.reasons[0])


def photo_file(name="萝卜.jpg", **how):
    return BytesIO(makers.photograph(**how)), name


def test_photos_are_uploaded_described_reviewed_and_shown_in_three_widths(shop):
    edit = f"/coop/products/{shop.radish.id}"
    page = shop.open(edit)
    page.press("Upload", photos=[photo_file(gps=True), photo_file("b.jpg", width=2000)])
    page.sees("The photos are here")
    first, second = shop.all(ProductPhoto)
    page.press("Keep and submit for review", status=409).sees("Say of every photo")
    page.press(
        "Keep and submit for review",
        **{
            f"alt_zh-{first.id}": "刚拔的萝卜", f"alt_en-{first.id}": "Just pulled",
            f"alt_zh-{second.id}": "一箱", f"place-{first.id}": "2", f"place-{second.id}": "1",
        },
    ).sees("waits for the operator")  # fmt: skip
    guest = person(shop.app).client
    assert guest.get(f"/photos/{first.id}/480.webp").status_code == 404, "not admitted yet"
    assert page.client.get(f"/photos/{first.id}/480.webp").status_code == 200
    assert "/photos/" not in guest.get("/products/radish").text
    shop.open("/admin/products", Role.OPERATOR).follow("Space radish").press("Admit")
    for address in ("/products/radish", "/products", "/"):
        text = guest.get(address).text
        assert f"/photos/{second.id}/480.avif 480w" in text, address
    shown = person(shop.app).open("/products/radish")
    assert [each["alt"] for each in shown.page.select(".gallery img")] == ["一箱", "Just pulled"]
    answer = guest.get(f"/photos/{first.id}/960.avif")
    image = Image.open(BytesIO(answer.data))
    assert (image.format, image.size) == ("AVIF", (960, 640))
    assert not image.getexif()
    assert "immutable" in answer.headers["Cache-Control"]
    assert guest.get(f"/photos/{first.id}/1201.avif").status_code == 404
    with shop.db.reading() as session:
        for check in CHECKS:
            assert list(check.run(session)) == [], check.name


def test_what_is_no_photo_is_refused_by_name_and_nothing_is_kept(shop):
    page = shop.open(f"/coop/products/{shop.radish.id}")
    bad = (BytesIO(b"<svg/>"), "bild.svg")
    page.press("Upload", status=422, photos=[photo_file(), bad]).sees("bild.svg", "JPEG, PNG")
    page.press("Upload", status=422).sees("Choose at least one photo.")
    assert shop.all(ProductPhoto) == []
    assert shop.all(ProductVersion) == []


def test_a_photo_taken_away_is_shown_no_more(session, tmp_path):
    radish = makers.product(session, on_sale=True)
    store = Storage(tmp_path / "files")
    rendered = [put_picture(store, makers.photograph(), name=f"{n}.jpg") for n in range(2)]
    one, two = products.add_photos(session, radish.id, rendered, **DID)
    said = [{"id": each.id, "alt_zh": "图", "alt_en": ""} for each in (one, two)]

    def admit(photos):
        products.save_version(session, radish.id, {"photos": photos}, **DID)
        version = products.submit_version(session, radish.id, **DID)
        products.admit_version(session, version.id, edition=version.edition, **DID)

    admit(said)
    assert [each["id"] for each in radish.gallery] == [one.id, two.id]
    admit([said[1]])
    assert (one.position, two.position) == (None, 0)
    assert [each["id"] for each in radish.gallery] == [two.id]
    with pytest.raises(Missing):
        queries.photo_of(session, one.id, organisation_id=None, everything=False)


def agreed(session, radish, unit_price=50_000, *, begin=0, end=30, steps=(), **buyers):
    pack = makers.pack_of(radish, Shelf.CANTEENS)
    return products.agree_prices(
        session,
        radish.supplier_id,
        name="协议价",
        prices={pack.id: products.Agreed(Price(unit_price), steps)},
        valid_from=TODAY + makers.days(begin),
        valid_to=TODAY + makers.days(end),
        **buyers,
        **DID,
    )


def test_lists_for_the_same_buyers_never_overlap_and_for_others_they_may(session):
    radish = makers.sold_product(session)
    agreed(session, radish, audience=Audience.SCHOOL)
    agreed(session, radish, audience=Audience.UNIT)
    agreed(session, radish, audience=Audience.SCHOOL, begin=31, end=60)
    for begin, end in ((30, 31), (0, 0), (10, 20), (60, 90)):
        with pytest.raises(Invalid) as refused:
            agreed(session, radish, audience=Audience.SCHOOL, begin=begin, end=end)
        assert "some of these days" in str(refused.value.errors["valid_from"])
    assert session.scalar(sa.select(sa.func.count()).select_from(PriceList)) == 3


def test_the_database_refuses_an_overlap_whoever_writes_it(session):
    radish = makers.sold_product(session)
    agreed(session, radish, audience=Audience.SCHOOL)
    second = agreed(session, radish, audience=Audience.SCHOOL, begin=31, end=40)
    with pytest.raises(sa.exc.DBAPIError, match="overlap"), session.begin_nested():
        session.execute(
            sa.update(PriceList).where(PriceList.id == second.id).values(valid_from=TODAY)
        )
    with pytest.raises(sa.exc.DBAPIError, match="written once"), session.begin_nested():
        session.execute(sa.update(ListPrice).values(unit_price=Price(1)))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"unit_price": 0}, "price"),
        ({"begin": -1}, "valid_from"),
        ({"end": -1}, "valid_to"),
        ({"steps": ((2_000, 60_000),)}, "steps"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_whole(session, changed, field):
    radish = makers.sold_product(session)
    with pytest.raises(Invalid) as refused:
        agreed(session, radish, audience=Audience.UNIT, **changed)
    assert any(name.startswith(field) for name in refused.value.errors)
    assert session.scalar(sa.select(sa.func.count()).select_from(PriceList)) == 0


def test_a_list_is_agreed_at_the_desk_and_ended_from_its_second_day(shop, clock):
    page = shop.open("/coop/prices").follow("Agreed prices").sees("No prices are agreed yet")
    price = f"price-{shop.kilo.id}"
    form = {"Name of the list": "学校价", "buyers": "school", "Last day": "2026-12-31"}
    page.press("Agree these prices", status=422, **form).sees("at least one pack")
    page.press(
        "Agree these prices", **form, **{price: "5.50", f"steps-{shop.kilo.id}": "100: 5.20"}
    )
    page.sees("学校价", "School", "in force", "¥5.50/kg", "from 100 kg: 5.20")
    made = shop.one(PriceList)
    assert send(page, f"/coop/prices/lists/{made.id}/end") == 409
    clock.move(days=1)
    page.open("/coop/prices/lists").press("End it now").sees("over")
    assert shop.one(PriceList).valid_to == date(2026, 11, 23)


def test_pages_of_products_take_the_same_number_of_queries_however_many(shop, statements):
    def count(path, role=Role.MANAGER):
        page = shop.open(path, role)
        statements.clear()
        page.open(path)
        return len(statements)

    pages = [
        ("/coop/products", Role.MANAGER), ("/coop/prices/lists", Role.MANAGER),
        ("/admin/products", Role.OPERATOR), ("/coop/market", Role.MANAGER),
        ("/admin/prices", Role.OPERATOR),
    ]  # fmt: skip
    with given(shop.db) as session:
        agreed(session, session.get(Product, shop.radish.id), audience=Audience.UNIT)
        products.save_version(session, shop.radish.id, {"name_en": "More"}, **DID)
        products.submit_version(session, shop.radish.id, **DID)
    before = [count(*each) for each in pages]
    with given(shop.db) as session:
        for n in range(5):
            more = makers.sold_product(session, (), of=shop.supplier, slug=f"more-{n}")
            agreed(session, more, audience=Audience.SCHOOL, begin=n * 10, end=n * 10 + 5)
            products.save_version(session, more.id, {"name_en": f"More {n}"}, **DID)
            products.submit_version(session, more.id, **DID)
    after = [count(*each) for each in pages]
    assert after == before


def test_the_shelf_and_the_page_of_a_product_stay_within_their_queries(shop, client, statements):
    for path, most in (("/products", 4), ("/products/radish", 5)):
        client.get(path)
        statements.clear()
        assert client.get(path).status_code == 200
        sent = [each for each in statements if not each.startswith("BEGIN")]
        assert len(sent) <= most, path


def test_whoever_submitted_cannot_decide(session):
    radish = makers.product(session, on_sale=True)
    who = makers.acting(makers.user(session))
    products.save_version(session, radish.id, {"name_en": "New"}, by=who, now=NOON)
    version = products.submit_version(session, radish.id, by=who, now=NOON)
    with pytest.raises(Refusal, match="colleague"):
        products.admit_version(session, version.id, edition=version.edition, by=who, now=NOON)
    with pytest.raises(Refusal, match="colleague"):
        products.return_version(
            session, version.id, edition=version.edition,
            reasons=[RejectReason.ORIGIN_WRONG], remark="x", by=who, now=NOON,
        )  # fmt: skip
    assert version.state is VersionState.WAITING


def test_a_lapsed_certificate_gives_its_own_reason(session):
    radish = makers.product(session, on_sale=True)
    products.take_off_sale(session, radish.id, reason="自己", why=OffReason.OWN_WISH, **DID)
    products.take_off_sale(session, radish.id, reason="证", why=OffReason.CERTIFICATE, **DID)
    assert (radish.off_reason, radish.state_reason) == (OffReason.CERTIFICATE, "证")
    products.take_off_sale(session, radish.id, reason="季", why=OffReason.SEASON, **DID)
    assert radish.off_reason is OffReason.CERTIFICATE

"""What a phone sends later, over HTTP: once, by whoever weighed, and nothing is dropped."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from catalog.lots import operations
from catalog.lots.models import (
    Confirmation,
    OfflineSlip,
    OfflineState,
    ReviewReason,
    SlipPhoto,
    SlipReview,
    SlipState,
    WeighSlip,
)
from catalog.products.operations import publish_purchase_price
from kernel.actors import Role
from kernel.money import Money, Price
from kernel.people import Organisation
from kernel.periods import business_day
from tests import makers
from tests.catalog.test_coop_pages import Coop
from tests.makers import NOON, SOMEBODY
from tests.web import given, person

BOOK, QUEUE = "/coop/weigh-in/book", "/coop/weigh-in/queue"
SIGNED = "M10,10L20,20"


class Phone:
    """A browser of somebody of the cooperative that speaks as the page does."""

    def __init__(self, coop, role=Role.WEIGHER, page=None):
        self.coop = coop
        self.page = page or coop.sign_in(role)
        self.client = self.page.client
        self.weigher = coop.people[role].id

    def book(self):
        return self.client.get(BOOK).get_json()

    def slip(self, **given):
        return {
            "device": "sc-0011223344", "device_seq": "1", "weigher_id": self.weigher,
            "weighed_at": int(self.coop.clock().timestamp() * 1000),
            "household": self.coop.home.code, "product_id": self.coop.product.id,
            "grade": "first", "gross_g": 128_400, "tare_g": 3_200, "deduction_bp": 300,
            "price": 32_000, "amount": 38_862, "reason": "", "confirmation": "signature",
            "confirmed_by": "", "signature": SIGNED, "card_code": "", **given,
        }  # fmt: skip

    def send(self, slip=None, *, status=200, photo=None, **form):
        data = {"slip": json.dumps(slip or self.slip()), **form}
        if photo:
            data["photo"] = (io.BytesIO(photo), "scale.jpg")
        answer = self.client.post(QUEUE, data=data)
        assert answer.status_code == status, answer.get_data(as_text=True)[:500]
        return answer.get_json()


@pytest.fixture
def coop(db, app, clock):
    made = Coop(db, app)
    made.clock = clock
    return made


@pytest.fixture
def phone(coop, app):
    app.config["WTF_CSRF_ENABLED"] = False  # the token itself is tried below
    return Phone(coop)


def test_the_book_has_what_a_weigher_may_see_and_what_weighing_needs(phone, coop):
    book = phone.book()
    [home] = book["households"]
    assert home == {
        "code": coop.home.code, "name": "张三丰", "pinyin": "zhangsanfeng", "initials": "zsf",
        "place": "大山村 group 3", "bought": 0, "brought": {},
        "most": {str(coop.product.id): 3_300_000},
    }  # fmt: skip
    [good] = book["goods"]
    assert (good["price"], good["resolution"], good["to"]) == (32_000, "2026-09", None)
    assert book["weigher"]["name"] == "weigher"
    assert "138" not in json.dumps(book)
    phone.send()
    [home] = phone.book()["households"]
    assert (home["bought"], home["brought"]) == (38_862, {str(coop.product.id): 121_444})


def test_the_book_takes_as_many_queries_for_many_households_as_for_few(phone, coop, db, statements):
    phone.book()
    statements.clear()
    phone.book()
    few = len(statements)
    with given(db) as session:
        for n in range(20):
            home = makers.household(session, f"农户{n}")
            makers.slip(session, coop.product, home, net_g=1_000)
    statements.clear()
    assert len(phone.book()["households"]) == 21
    assert len(statements) == few


def test_a_slip_is_weighed_when_the_phone_says_and_says_that_it_came_later(phone, coop):
    at = coop.clock() - timedelta(hours=3)
    said = phone.send(phone.slip(weighed_at=int(at.timestamp() * 1000)))
    assert said == {
        "outcome": "written", "number": "WS26-000001", "amount": 38_862, "under_review": False,
    }  # fmt: skip
    [slip] = coop.rows(WeighSlip)
    assert (slip.weighed_at, slip.made_at) == (at, coop.clock())
    assert (slip.state, slip.signature, slip.confirmed_by) == (
        SlipState.CONFIRMED, SIGNED, "张三丰",
    )  # fmt: skip
    phone.page.open(f"/coop/slips/{slip.number}").sees("Weighed without network", "sc-001122-1")


def test_the_same_slip_twice_is_one_slip_and_another_under_its_number_a_conflict(phone, coop):
    first = phone.send()
    assert phone.send() == first
    said = phone.send(phone.slip(gross_g=228_400, amount=69_902), status=409)
    assert (said["outcome"], "another slip" in said["sentence"]) == ("conflict", True)
    assert phone.send(phone.slip(signature="M1,1L2,2"), status=409)["outcome"] == "conflict"
    [slip] = coop.rows(WeighSlip)
    assert slip.gross_g == 128_400
    assert len(coop.rows(OfflineSlip)) == 1


def test_a_stale_price_is_refused_shown_and_can_be_asked_for(phone, coop, db):
    with given(db) as session:
        publish_purchase_price(
            session, coop.product.id, grade=makers.Grade.FIRST, price=Price(30_000),
            valid_from=business_day(NOON), resolution="2026-11", by=SOMEBODY, now=NOON,
        )  # fmt: skip
    said = phone.send(status=409)
    assert said["outcome"] == "refused"
    assert "the phone showed 3.20 yuan/kg" in said["sentence"]
    assert "is 3.00" in said["sentence"]
    assert coop.rows(WeighSlip) == []
    # Nothing was written under its number, so the corrected slip may keep it.
    said = phone.send(phone.slip(reason="农户已按旧价签字"))
    assert said["under_review"] is True
    [review] = coop.rows(SlipReview)
    assert review.why == [ReviewReason.PRICE]


TAMPERED = [
    ({"amount": 99_999}, "this comes to"),
    ({"price": 1}, "price was changed"),
    ({"household": "H-0000-00"}, "No household of your villages"),
    ({"gross_g": 3_200}, "tare must be less"),
    ({"weighed_at": 0}, "clock cannot be right"),
    ({"weighed_at": 4_000_000_000_000}, "clock cannot be right"),
    ({"confirmation": "proxy"}, "Enter who confirmed"),
    ({"confirmation": "card_code", "card_code": "123456"}, "has no card yet"),
    ({"signature": "<script>"}, "signature could not be read"),
    ({"gross_g": "128400"}, "not a weigh slip"),
    ({"gross_g": 1.5}, "not a weigh slip"),
    ({"gross_g": True}, "not a weigh slip"),
    ({"deduction_bp": -1}, "not a weigh slip"),
    ({"confirmation": "text_code"}, "not a weigh slip"),
    ({"grade": "golden"}, "not a weigh slip"),
    ({"device": "../../etc"}, "not a weigh slip"),
    ({"device_seq": "eins"}, "not a weigh slip"),
    ({"weighed_at": 10**15}, "not a weigh slip"),
    ({"reason": "x" * 201}, "not a weigh slip"),
    ({"product_id": 10**9}, "nothing at this address"),
]
NONSENSE = ("", "[]", "null", "{", '{"device": "sc-1"}', "x" * 100_000)


def test_what_was_tampered_with_or_is_no_slip_writes_nothing_and_says_why(phone, coop):
    sent = [(json.dumps(phone.slip(**changes)), said) for changes, said in TAMPERED]
    for text, said in [*sent, *((each, "not a weigh slip") for each in NONSENSE)]:
        answer = phone.client.post(QUEUE, data={"slip": text})
        assert answer.status_code in (404, 409, 422), text
        assert answer.get_json()["outcome"] == "refused"
        assert said in answer.get_json()["sentence"]
    assert coop.rows(WeighSlip) == coop.rows(OfflineSlip) == []


def test_a_slip_stays_with_whoever_weighed_it(phone, coop):
    manager = Phone(coop, Role.MANAGER)
    said = manager.send(phone.slip(), status=403)
    assert said["outcome"] == "somebody_else"
    assert manager.send(phone.slip(), status=403, said="x")["outcome"] == "somebody_else"
    assert coop.rows(OfflineSlip) == []
    assert phone.send()["outcome"] == "written"


def test_another_cooperative_s_phone_finds_nothing_under_a_number_of_ours(phone, coop, db, app):
    phone.send()
    with given(db) as session:
        stranger = makers.supplier(session)
        body = session.get(Organisation, stranger.organisation_id)
        user = makers.member(session, body, Role.WEIGHER)
        product = makers.product(session, stranger)
        makers.purchase_price(session, product)
    theirs = Phone(coop, page=person(app, user))
    slip = phone.slip(weigher_id=user.id, product_id=product.id)
    assert theirs.send(slip, status=404)["outcome"] == "refused"
    assert "WS26" not in json.dumps(theirs.send(slip, status=404))
    assert len(coop.rows(WeighSlip)) == 1


def test_only_weighers_have_the_book_and_whoever_is_signed_out_is_sent_to_sign_in(coop, app):
    for role in (Role.STOREKEEPER, Role.ACCOUNTANT):
        assert coop.sign_in(role).client.get(BOOK).status_code == 403
    answer = person(app).client.get(BOOK)
    assert (answer.status_code, "/sign-in" in answer.location) == (303, True)


def test_without_the_page_s_guard_nothing_is_taken(coop):
    phone = Phone(coop)
    form = {"slip": json.dumps(phone.slip())}
    assert phone.client.post(QUEUE, data=form).status_code == 400
    assert coop.rows(OfflineSlip) == []
    guard = {"X-CSRFToken": phone.book()["csrf"]}
    assert phone.client.post(QUEUE, data=form, headers=guard).status_code == 200


def test_what_no_rule_lets_in_goes_to_the_manager_who_writes_it_for_the_right_household(
    phone, coop
):
    slip = phone.slip(household="H-0000-00")
    said = phone.send(slip, status=409)["sentence"]
    assert phone.send(slip, said=said) == {"outcome": "handed_over"}
    assert phone.send(slip, said=said) == {"outcome": "handed_over"}
    manager = coop.sign_in(Role.MANAGER).open("/coop/weigh-in/reviews")
    manager.sees("H-0000-00", "No household of your villages", "¥388.62")
    manager.press("Write the slip", status=422, Why=" ").sees("Say why")
    manager.press("Write the slip", **{"Code of the household": coop.home.code, "note": "抄错"})
    manager.sees("It is a weigh slip now", "Nothing was handed over")
    assert phone.send(slip, said=said)["outcome"] == "written"
    [written] = coop.rows(WeighSlip)
    assert (written.household_id, written.state) == (coop.home.id, SlipState.CONFIRMED)
    [kept] = coop.rows(OfflineSlip)
    assert (kept.state, kept.decision_note) == (OfflineState.WRITTEN, "抄错")
    assert kept.decided_by_id == coop.people[Role.MANAGER].id


def test_what_the_manager_puts_aside_the_phone_is_told_with_the_reason(phone, coop):
    slip = phone.slip(household="H-0000-00")
    phone.send(slip, said="没有这户")
    manager = coop.sign_in(Role.MANAGER).open("/coop/weigh-in/reviews")
    manager.press("Put aside", Why="外乡人的货").sees("put aside")
    assert phone.send(slip, said="没有这户") == {"outcome": "dismissed", "sentence": "外乡人的货"}
    assert coop.rows(WeighSlip) == []


def test_a_handed_slip_at_the_new_price_must_be_confirmed_again(phone, coop, db):
    slip = phone.slip(price=40_000, amount=48_578)
    phone.send(slip, said="价格变了")
    with db.transaction() as session:
        kept = session.scalars(sa.select(OfflineSlip)).one()
        how = {
            "supplier_id": coop.supplier.id, "prefixes": ["500114125"], "note": "按公布价",
            "household": coop.home.code, "by": SOMEBODY, "now": NOON,
        }  # fmt: skip
        operations.write_handed_slip(session, kept.id, as_shown=False, **how)
    [written] = coop.rows(WeighSlip)
    assert (written.price, written.amount) == (Price(32_000), Money(38_862))
    assert (written.state, written.signature) == (SlipState.WEIGHED, None)
    assert coop.rows(SlipReview) == []


def test_a_photo_of_the_scale_comes_along_without_what_the_camera_wrote_into_it(phone, coop):
    picture = Image.new("RGB", (2400, 1200), "white")
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    phone.send(photo=out.getvalue())
    assert phone.send(photo=out.getvalue())["outcome"] == "written"
    assert phone.send(status=409)["outcome"] == "conflict"
    assert len(coop.rows(SlipPhoto)) == 1
    answer = phone.client.get("/coop/slips/WS26-000001/photo")
    assert b"Camera of somebody" not in answer.data
    assert max(Image.open(io.BytesIO(answer.data)).size) == 1600
    said = phone.send(phone.slip(device_seq="2"), status=422, photo=b"no picture")
    assert "JPEG" in said["sentence"]


def test_a_doubtful_slip_is_written_and_waits_and_the_manager_s_page_shows_it(phone, coop):
    """G19."""
    said = phone.send(phone.slip(gross_g=4_000_000, tare_g=0, deduction_bp=0, amount=1_280_000))
    assert said["under_review"] is True
    page = coop.sign_in(Role.STOREKEEPER).open("/coop/slips")
    page.sees("in review", "To the reviews")
    manager = coop.sign_in(Role.MANAGER).open("/coop/weigh-in/reviews")
    manager.sees("Above yield", "4,000 kg").press("Approve the slip", status=422, Why="")
    manager.sees("Say why this is right")
    manager.press("Approve the slip", Why="开荒新地，村里证明").sees("is approved")
    assert phone.send(
        phone.slip(gross_g=4_000_000, tare_g=0, deduction_bp=0, amount=1_280_000)
    ) == {**said, "under_review": False}


def test_the_cap_is_put_in_force_by_the_manager_alone(phone, coop):
    manager = coop.sign_in(Role.MANAGER).open("/coop/weigh-in/reviews")
    manager.press("Put in force", status=422, Cap="400").sees("Please fill this in")
    manager.press("Put in force", Cap="400", Resolution="2026-12").sees("at most ¥400.00")
    assert phone.book()["cap"] == 40_000
    page = phone.page.open("/coop/weigh-in?q=zsf").follow("张三丰")
    page.sees("the cap is ¥400.00")
    assert phone.send()["under_review"] is False
    phone.page.open(f"/coop/weigh-in?household={coop.home.code}").sees("Four fifths")
    assert phone.send(phone.slip(device_seq="2"))["under_review"] is True
    assert phone.page.client.post("/coop/weigh-in/cap", data={}).status_code == 403


def test_a_household_s_card_has_its_qr_and_its_digits_confirm(phone, coop):
    page = phone.page.open(f"/coop/weigh-in/cards/{coop.home.code}")
    page.sees("no code yet").press("Make its code").sees("A new card was made", "Card 1")
    digits = "".join(page.page.select_one(".digits").get_text().split())
    assert page.page.select_one(".qr svg")
    said = phone.send(phone.slip(confirmation="card_code", card_code=digits, signature=None))
    assert said["outcome"] == "written"
    [slip] = coop.rows(WeighSlip)
    assert slip.confirmation is Confirmation.CARD_CODE
    coop.sign_in(Role.ACCOUNTANT).open(f"/coop/weigh-in/cards/{coop.home.code}").does_not_see(
        "Make a new code"
    )


def test_the_page_the_worker_and_the_manifest_are_there_and_hold_nobody_s_data(phone, coop):
    page = phone.page.open("/coop/weigh-in/yard")
    page.does_not_see("张三丰", "weigher", "水市镇联合社")
    worker = phone.client.get("/coop/weigh-in/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == "/coop/weigh-in"
    assert "script-src 'self'" in worker.headers["Content-Security-Policy"]
    manifest = phone.client.get("/coop/weigh-in/manifest.webmanifest").get_json()
    assert (manifest["scope"], manifest["display"]) == ("/coop/weigh-in", "standalone")


@pytest.mark.race
def test_two_sendings_at_the_same_moment_write_one_slip(phone, coop, app):
    phones = [phone, Phone(coop), Phone(coop)]
    gate, said = threading.Barrier(3), []

    def send(each):
        gate.wait()
        said.append(each.send())

    threads = [threading.Thread(target=send, args=(each,)) for each in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 3
    assert {each["number"] for each in said} == {"WS26-000001"}
    assert len(coop.rows(WeighSlip)) == len(coop.rows(OfflineSlip)) == 1

"""A township is built, all that is sealed in it is known, and no public page says any of it."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.households import operations as households
from catalog.households.models import (
    Household,
    HouseholdMember,
    MonitorType,
    RiskStatus,
    Sex,
)
from kernel.codes import identity_with_check
from kernel.crypto import Sealed
from kernel.db import Model
from tests import makers
from tests.conftest import KINDS
from tests.makers import NOON, SOMEBODY, TODAY
from tests.shop import shop_window
from tests.shop.crawl import crawl
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
SURNAMES, GIVEN = "冉谭向覃简庞陶秦", "楠槿荞薇苓芷蘅筱"

# Public addresses that are not walked to: they need a key or token that only their owner has, or
# are written for machines and carry no word of ours.
NOT_WALKED = {
    "orders.show", "orders.status", "account.choose_password", "settings.language",
    "account.ask_to_sign_out", "machine.healthz", "machine.readyz", "machine.metrics",
    "storefront.village_photo", "static",
    # Pictures, and the program and the name of the page at the scale.
    "product_photos.show", "reviews.photo", "showing.share_image", "yard.manifest", "yard.worker",
    # Looked at in test_receipts.
    "receipts.show", "public_certificates.public_paper",
    # Opened by the key of an order.
    "reviews.write", "asking.photo", "asking.show_cancel", "asking.show_claim",
    "asking.show_disagree", "asking.show_parcel", "order_papers.download", "order_papers.receipt",
    "order_papers.show_wish", "orders.to_payment",
    # Answers typing; a sheet of one's own basket's people, empty or with remarks.
    "checkout.places", "group.template", "group.remarks",
    # Steps of signing up and in, after a code or a provider's answer.
    "joining.enter_code", "joining.name", "openid.back", "openid.leave",
}  # fmt: skip
TELLING = ("脱贫", "监测对象", "边缘易致贫", "突发严重困难", "低保", "risk of return")


def _furnish(session):
    """The window of the shop, and behind it families with everything that is kept of families."""
    shop_window.build(session)
    homes = session.scalars(sa.select(Household).order_by(Household.id)).all()
    for number, home in enumerate(homes):
        name = SURNAMES[number % 8] + GIVEN[number // 8 % 8] + GIVEN[number % 8]
        households.correct_household(
            session, home.id, name=name, region_code=home.region_code, group_no=home.group_no,
            people=4, phone=f"199{number:04}{(number * 7919) % 10_000:04}", **DID,
        )  # fmt: skip
        if number % 4:
            continue
        body = f"50011419000101{number % 1000:03}"
        head = identity_with_check(body)
        households.add_member(
            session, home.id, name=name, relation="户主",
            sex=Sex.MALE if int(body[16]) % 2 else Sex.FEMALE, identity=head, is_head=True, **DID,
        )  # fmt: skip
        households.open_payout_account(
            session, home.id, holder=name, bank="农商行", number=f"62170055{number:08}", proof="",
            **DID,
        )  # fmt: skip
        households.record_status(
            session, home.id, lifted=True, monitor_type=MonitorType.UNSTABLE,
            risk_status=RiskStatus.OPEN, as_of=TODAY, source="导出", **DID,
        )  # fmt: skip


def _secrets(session):
    """Every sealed value of every table, and who is who."""
    found = set()
    for table in Model.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Sealed):
                found |= set(session.scalars(sa.select(column).where(column.is_not(None))))
    for column in (Household.name, Household.code, HouseholdMember.name):
        found |= set(session.scalars(sa.select(column)))
    return found


def test_no_public_page_or_file_says_anything_that_is_sealed(db, app):
    with given(db) as session:
        _furnish(session)
    with db.reading() as session:
        secrets = _secrets(session)
        code = session.scalar(sa.select(sa.text("code")).select_from(sa.table("lots")).limit(1))
    assert len(secrets) > 200
    guest = person(app, lang="zh").client
    starts = [
        "/", "/products", "/search?q=萝卜", "/search?q=冉", "/impact", "/open/", "/help",
        "/cart", "/checkout", "/group", "/sign-in", "/password", "/trace", f"/trace/{code}",
        f"/villages/{makers.DASHAN}", "/categories/vegetables", "/products/space-radish",
        "/search/suggest?q=luobo", "/robots.txt", "/sitemap.xml",
    ]  # fmt: skip
    each_village = 12 if db.engine.dialect.name == KINDS[0] else 2
    walked = list(crawl(app, guest, starts, of_a_kind=each_village, most=120))
    wrong = [
        (address, secret)
        for _endpoint, address, text in walked
        for secret in (*secrets, *TELLING)
        if secret in text
    ]
    assert not wrong
    assert any("萝卜" in text for _e, _a, text in walked)
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and getattr(app.view_functions[rule.endpoint], "access", None) == "public"
    }
    missed = public - NOT_WALKED - {endpoint for endpoint, _address, _text in walked}
    assert not missed, f"walk through {missed} too, or say why not"

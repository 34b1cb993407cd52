"""What a household lets us show, and how fast it is gone when it takes that back."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image

from catalog.households import operations
from catalog.households.checks import CHECKS
from catalog.households.models import Consent, ConsentPurpose, ConsentScope
from kernel.actors import Role
from kernel.errors import Invalid, Missing
from kernel.storage import Blob
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.shop.crawl import crawl
from tests.shop.homes import Homes
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
PAPER = Blob("a" * 64, 10, "application/pdf", "同意书.pdf")
PDF = b"%PDF-1.7 signed"


def picture(kind="JPEG", size=(2400, 1800)):
    """A photograph that says where and when it was taken."""
    made = Image.new("RGB", size, (90, 140, 80))
    exif = Image.Exif()
    exif[0x010E] = "taken at the home of Zhang"
    exif[0x0132] = "2026:11:01 08:00:00"
    written = io.BytesIO()
    made.save(written, kind, exif=exif)
    return written.getvalue()


@pytest.fixture
def homes(db, app):
    return Homes(db, app)


def at(homes, role=Role.OFFICIAL, desk="office"):
    page = homes.sign_in(role).open(f"/{desk}/households/{homes.own.code}")
    return page.follow("Enter a consent")


def file(content, name):
    return (io.BytesIO(content), name)


def allow(page, *, status=200, **given):
    """Fill in the form and send it with its files, as a browser does."""
    asked = {
        "purpose": "alias", "content": "大山村 张师傅", "scope": "website",
        "given_on": "2026-11-20", **given,
    }  # fmt: skip
    form = page.page.find("form", enctype="multipart/form-data")
    hidden = {field["name"]: field["value"] for field in form.find_all("input", type="hidden")}
    answer = page.client.post(
        page.path, data=hidden | asked, content_type="multipart/form-data", follow_redirects=True
    )
    return page._show(answer, status)


def test_a_consent_is_entered_with_its_paper_and_what_it_allows_is_public(homes):
    village = f"/villages/{makers.DASHAN}"
    guest = person(homes.app)
    guest.open(village).does_not_see("张师傅")
    page = allow(at(homes), status=422).sees("Add the signed paper")
    allow(page, evidence=file(b"MZ not a paper", "x.pdf"), status=422).sees("PDF, JPEG or PNG")
    assert homes.rows(Consent) == []
    allow(page, evidence=file(PDF, "同意书.pdf")).sees("what it allows is public now", "张师傅")
    guest.open(village).sees("大山村 张师傅").does_not_see("张三丰", homes.own.code)
    [consent] = homes.rows(Consent)
    assert (consent.scope, consent.evidence_id is None) == (ConsentScope.WEBSITE, False)
    paper = f"/office/households/{homes.own.code}/consents/{consent.id}/paper"
    assert page.client.get(paper).data == PDF
    assert homes.sign_in(Role.AUDITOR).client.get(paper).data == PDF
    assert homes.sign_in(Role.DISTRICT).client.get(paper).status_code == 404
    assert guest.client.get(paper).status_code == 303


def test_words_that_name_somebody_or_tell_too_much_are_refused(homes):
    page = at(homes)
    for words in ("张三丰师傅", "张小宝的爷爷", "电话 138 1234 5678", "脱贫户 老张", "", "x" * 601):
        allow(page, content=words, evidence=file(PDF, "同意书.pdf"), status=422)
        assert page.page.find("textarea", attrs={"name": "content"}).get_text() == words
    assert homes.rows(Consent) == []


def test_a_photo_needs_its_paper_and_nobody_under_age(homes):
    page = at(homes)
    photo = {"purpose": "photo", "content": "在萝卜地里"}
    allow(page, **photo, evidence=file(PDF, "p.pdf"), status=422)
    page.sees("Choose the picture", "Children are never shown")
    allow(
        page, **photo, evidence=file(PDF, "p.pdf"), picture=file(b"\xff\xd8\xff broken", "x.jpg"),
        children_absent="yes", status=422,
    ).sees("A photo is a JPEG")  # fmt: skip
    assert homes.rows(Consent) == []


def test_a_photo_is_shown_small_and_without_where_and_when(homes):
    page = allow(at(homes), evidence=file(PDF, "p.pdf"))
    page.follow("Enter a consent")
    allow(
        page, purpose="photo", content="在萝卜地里", children_absent="yes",
        evidence=file(PDF, "p.pdf"), picture=file(picture(), "IMG_0001.jpg"),
    )  # fmt: skip
    guest = person(homes.app).open(f"/villages/{makers.DASHAN}")
    shown = guest.page.find("img", class_="voice-photo")
    assert shown["alt"] == "在萝卜地里"
    answer = guest.client.get(shown["src"])
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("image/webp", "no-store")
    opened = Image.open(io.BytesIO(answer.data))
    assert max(opened.size) == 1600
    assert not opened.getexif()
    assert b"Zhang" not in answer.data
    assert guest.client.get(f"/villages/photos/{'0' * 64}").status_code == 404


def test_what_is_withdrawn_is_on_no_public_page_a_moment_later(homes):
    """Every public page is walked through before and after."""
    with given(homes.db) as session:
        storage = homes.app.extensions["services"].storage
        blob = storage.put(picture("WEBP", (60, 40)), media_type="image/webp", name="p.webp")
        for purpose, words in (
            (ConsentPurpose.ALIAS, "屋檐下的老张"),
            (ConsentPurpose.STORY, "我种了三十年萝卜。"),
            (ConsentPurpose.PHOTO, "在萝卜地里"),
        ):
            operations.give_consent(
                session, homes.own.id, purpose=purpose, content=words, given_on=TODAY,
                evidence=PAPER, picture=blob if purpose is ConsentPurpose.PHOTO else None,
                children_absent=True, **DID,
            )  # fmt: skip
        makers.stock(session, homes.product, [5_000], households_=[session.merge(homes.own)])
    told = ("屋檐下的老张", "我种了三十年萝卜。", "在萝卜地里", blob.sha256)

    def public():
        starts = ["/", f"/villages/{makers.DASHAN}"]
        return list(crawl(homes.app, person(homes.app).client, starts, of_a_kind=3))

    before = public()
    assert len({endpoint for endpoint, _address, _text in before}) > 8
    assert all(any(words in text for _, _, text in before) for words in told)
    photo = f"/villages/photos/{blob.sha256}"
    assert person(homes.app).client.get(photo).status_code == 200

    page = homes.sign_in(Role.HELPER).open(f"/helper/households/{homes.own.code}")
    for _ in told[:3]:
        page.press("Withdraw").sees("nothing of it is public any more")
    assert not any(words in text for _, _, text in public() for words in told)
    assert person(homes.app).client.get(photo).status_code == 404
    rows = homes.rows(Consent)
    assert [row.withdrawn_on for row in rows] == [TODAY] * 3
    assert {row.withdrawn_by_id for row in rows} == {homes.people[Role.HELPER].id}


def test_nobody_withdraws_or_reads_the_consent_of_another_household(homes):
    with given(homes.db) as session:
        consent = operations.give_consent(
            session, homes.other.id, purpose=ConsentPurpose.ALIAS, content="老李", given_on=TODAY,
            evidence=PAPER, **DID,
        )  # fmt: skip
    with pytest.raises(Missing), homes.db.transaction() as session:
        operations.withdraw_consent(session, consent.id, household_id=homes.own.id, **DID)
    client = homes.sign_in(Role.HELPER).client
    path = f"/helper/households/{homes.own.code}/consents/{consent.id}/paper"
    assert client.get(path).status_code == 404
    assert homes.rows(Consent)[0].withdrawn_on is None


def test_a_consent_of_tomorrow_is_none_and_a_second_of_a_kind_ends_the_first(homes):
    def allow_alias(words, day):
        with given(homes.db) as session:
            return operations.give_consent(
                session, homes.own.id, purpose=ConsentPurpose.ALIAS, content=words,
                given_on=day, **DID,
            ).id  # fmt: skip

    with pytest.raises(Invalid):
        allow_alias("老张", TODAY + timedelta(days=1))
    first = allow_alias("老张", TODAY)
    assert allow_alias("老张", TODAY) == first
    allow_alias("张师傅", TODAY)
    assert [row.withdrawn_on for row in homes.rows(Consent)] == [TODAY, None]
    with homes.db.reading() as session:
        assert [each for check in CHECKS for each in check.run(session)] == []

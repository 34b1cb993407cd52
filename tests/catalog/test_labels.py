"""Labels: every bag has a code of its own, and a code somebody typed finds its bag or nothing."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st
from pypdf import PdfReader

from catalog.lots import operations as lots
from catalog.lots import rules
from catalog.lots.models.labels import LabelLayout, LabelPrint, LabelRun, TraceScan
from catalog.lots.queries import find_code, nearest_code, scans_of
from kernel.actors import Role
from kernel.codes import CODE_ALPHABET, code_closes, fold_code
from kernel.errors import Invalid, Missing, Refusal
from kernel.people import Organisation
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
LOT = "500114125-R01-261108-001-C"


@settings(max_examples=40)
@examples(
    serial=st.integers(1, rules.MOST_BAGS), key=st.text(CODE_ALPHABET, min_size=8), data=st.data()
)
def test_any_wrong_character_and_any_two_changed_places_are_found(serial, key, data):
    code = rules.bag_code(LOT, serial, key)
    folded = fold_code(code)
    assert code_closes(folded)
    assert rules.bag_parts(folded) == (fold_code(LOT), serial)
    for place, typed in enumerate(folded):
        for other in CODE_ALPHABET:
            if other != typed:
                assert not code_closes(folded[:place] + other + folded[place + 1 :])
    first = data.draw(st.integers(0, len(folded) - 2))
    for second in range(first + 1, len(folded)):
        if folded[first] != folded[second]:
            swapped = list(folded)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert not code_closes("".join(swapped))


@examples(code=st.builds(
    rules.lot_code, st.just("500114125"), st.sampled_from(["R01", "O02", "K1", "OIL"]),
    st.dates(min_value=makers.date(2020, 1, 1), max_value=makers.date(2060, 1, 1)),
    st.integers(1, 1200),
))  # fmt: skip
def test_a_lot_code_without_its_hyphens_is_written_again(code):
    assert code in rules.lot_codes(fold_code(code))


def test_without_the_key_of_its_run_a_neighbour_s_code_cannot_be_made():
    ours = {rules.bag_code(LOT, 7, "A KEY")[-4:-1], rules.bag_code(LOT, 8, "A KEY")[-4:-1]}
    theirs = {rules.bag_code(LOT, 7, "ANOTHER")[-4:-1], rules.bag_code(LOT, 8, "ANOTHER")[-4:-1]}
    assert len(ours | theirs) == 4


@pytest.fixture
def lot(session):
    of = makers.product(session, code="R01", packs=[{}])
    return makers.lot(session, of, (60_000, 40_000))


def print_(session, lot, count=5, **given):
    pack = makers.pack_of(session.get(makers.Product, lot.product_id))
    wanted = {"pack_id": pack.id, "layout": LabelLayout.SHEET, **given}
    return lots.print_labels(session, lot.id, count=count, **wanted, **DID)


def codes(session, made):
    run = session.get(LabelRun, made.run_id)
    lot = session.get(makers.Lot, run.lot_id)
    return [
        rules.bag_code(lot.code, n, run.seal_key)
        for n in range(made.first_serial, made.last_serial + 1)
    ]


def test_every_printed_code_opens_its_bag_however_it_is_typed(session, lot):
    first, second = print_(session, lot, 3), print_(session, lot, 2)
    assert (first.first_serial, first.last_serial) == (1, 3)
    assert (second.first_serial, second.last_serial) == (4, 5)
    for serial, code in enumerate([*codes(session, first), *codes(session, second)], 1):
        wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in code)
        mistaken = code.replace("0", "O").replace("1", "l")
        for typed in (code, code.lower(), code.replace("-", ""), f" {code} ", wide, mistaken):
            found, bag = find_code(session, typed)
            assert (found.id, bag.serial, bag.code) == (lot.id, serial, code), typed
    assert find_code(session, lot.code.replace("-", " ").lower()) == (lot, None)
    assert find_code(session, lot.trace_key.lower())[0].id == lot.id


def test_a_bag_nobody_labelled_is_not_there(session, lot):
    [code] = codes(session, print_(session, lot, 1))
    run = session.scalars(sa.select(LabelRun)).one()
    with pytest.raises(Missing):
        find_code(session, rules.bag_code(lot.code, 2, run.seal_key))
    with pytest.raises(Missing):
        find_code(session, rules.bag_code(lot.code, 1, "GUESSED"))
    assert find_code(session, code)[1].serial == 1


def test_one_mistake_suggests_the_one_code_it_can_be(session, lot):
    code = codes(session, print_(session, lot, 5))[2]
    for place, typed in enumerate(code):
        if typed in CODE_ALPHABET:
            wrong = CODE_ALPHABET[(CODE_ALPHABET.index(typed) + 3) % 32]
            assert nearest_code(session, code[:place] + wrong + code[place + 1 :]) == code
    assert nearest_code(session, code) is None
    assert nearest_code(session, code[:-3] + "000") is None
    assert nearest_code(session, "") is None
    assert nearest_code(session, "萝卜" * 30) is None


def test_no_more_labels_than_what_came_in_can_fill(session, lot):
    print_(session, lot, 20)
    with pytest.raises(Invalid) as refused:
        print_(session, lot, 3)
    assert "at most 2 more" in str(refused.value.reasons[0])
    print_(session, lot, 2)
    with pytest.raises(Invalid) as refused:
        print_(session, lot, 1)
    assert "has labels already" in str(refused.value.reasons[0])
    for count in (0, -1):
        with pytest.raises(Invalid):
            print_(session, lot, count)
    assert session.scalar(sa.select(sa.func.sum(LabelRun.count))) == 22


def test_labels_are_of_the_lot_s_own_pack_and_never_for_a_recalled_lot(session, lot):
    stranger = makers.pack_of(makers.product(session, packs=[{}]))
    with pytest.raises(Invalid):
        print_(session, lot, 1, pack_id=stranger.id)
    lots.recall_lot(session, lot.id, reason="农残", **DID)
    with pytest.raises(Refusal, match="No labels"):
        print_(session, lot, 1)
    assert session.scalars(sa.select(LabelRun)).all() == []


def test_what_is_printed_again_says_why_and_stays_inside_its_run(session, lot):
    made = print_(session, lot, 5)
    again = {"layout": LabelLayout.SINGLE, **DID}
    for wrong in ({"first": 0, "last": 1}, {"first": 4, "last": 3}, {"first": 5, "last": 6}):
        with pytest.raises(Invalid):
            lots.reprint_labels(session, made.run_id, **wrong, reason="糊了", **again)
    with pytest.raises(Invalid, match="correct"):
        lots.reprint_labels(session, made.run_id, first=1, last=1, reason=" ", **again)
    second = lots.reprint_labels(session, made.run_id, first=2, last=3, reason="糊了", **again)
    assert (second.copy, codes(session, second)) == (2, codes(session, made)[1:3])
    assert len(session.scalars(sa.select(LabelPrint)).all()) == 2


def test_a_label_opened_unusually_often_is_shown_and_a_reload_is_not_counted(session, lot):
    for minute in range(rules.COPIED_SCANS + 1):
        at = NOON + makers.timedelta(minutes=minute)
        assert lots.note_scan(session, lot.id, 1, lang="zh", now=at)
        assert not lots.note_scan(session, lot.id, 1, lang="zh", now=at)
    lots.note_scan(session, lot.id, None, lang="en", now=NOON)
    found = scans_of(session, lot.id, now=NOON + makers.timedelta(hours=1))
    assert found.total == rules.COPIED_SCANS + 2
    assert sum(times for _, times in found.days) == found.total
    assert found.often == ((1, rules.COPIED_SCANS + 1),)
    columns = {column.name for column in TraceScan.__table__.columns}
    assert columns == {"id", "lot_id", "serial", "at", "lang"}, "nothing of the person"


def test_the_storekeeper_prints_labels_and_prints_some_again(db, app, statements):
    with given(db) as session:
        of = makers.supplier(session, "水市镇联合社")
        body = session.get(Organisation, of.organisation_id)
        keeper = makers.member(session, body, Role.STOREKEEPER, name="陶库管")
        weigher = makers.member(session, body, Role.WEIGHER)
        product = makers.product(session, of, packs=[{}])
        lot = makers.lot(session, product, (60_000,))
        foreign = makers.lot(session, makers.product(session, packs=[{}]), (1_000,))
    page = person(app, keeper).open(f"/coop/lots/{lot.code}").follow("Labels and scans")
    page.press("Make labels", status=422, **{"How many bags": "99"}).sees("at most 13 more")
    page.press("Make labels", **{"How many bags": "１0"}).sees("Run BQ26-000001: bags 1 to 10")
    page.again().sees("Run BQ26-000001").does_not_see("BQ26-000002")
    page.press("Print again", status=422, first="3", last="2").sees("Please fill this in")
    page.press("Print again", status=422, **{"Why again": "沾水"}).sees("Enter bags from 1 to 10")
    page.press("Print again", first="2", last="2", **{"Why again": "沾水"}).sees("沾水", "陶库管")
    papers = [a["href"] for a in page.page.find_all("a", href=True) if a["href"].endswith(".pdf")]
    first, second = (words(page.client.get(each).data) for each in papers)
    assert "太空萝卜" in first
    assert "Space radish" in first
    assert "Reprint" not in first
    assert "补打 Reprint 1" in second
    assert lot.code in second
    sent = len(statements)
    page.open(f"/coop/lots/{lot.code}/labels")
    once = len(statements) - sent
    page.press("Make labels", **{"How many bags": "2"})
    sent = len(statements)
    page.open(f"/coop/lots/{lot.code}/labels")
    assert len(statements) - sent == once
    page.open(f"/coop/lots/{foreign.code}/labels", status=404)
    other = person(app, weigher).open(f"/coop/lots/{lot.code}/labels").sees("BQ26-000001")
    assert other.page.find("button", string="Make labels") is None
    assert other.client.get(papers[0]).status_code == 403


def words(made: bytes) -> str:
    return "\n".join(each.extract_text() for each in PdfReader(io.BytesIO(made)).pages)

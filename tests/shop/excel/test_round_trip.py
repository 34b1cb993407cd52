"""What is taken out and brought in again changes nothing; a preview is exactly what happens."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.households import operations as households
from catalog.households.models import MonitorType, RiskStatus, Sex
from catalog.households.rules import Viewer, viewer_of
from catalog.products.models import Grade, Product, ReferenceSource, Shelf
from catalog.products.operations import Seen, record_references
from kernel.actors import Actor, Door, Role
from kernel.codes import identity_with_check
from kernel.db import Model
from kernel.errors import Invalid
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.sheets import read_grid
from shop.excel.columns import Outcome
from shop.excel.doing import desk_for
from shop.excel.exporting import columns_in, columns_out, export_csv, write_export, write_form
from shop.excel.heading import find_heading
from shop.excel.kinds import KINDS
from shop.excel.reading import read_table
from shop.excel.running import run_rows
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.shop.excel.books import book, run
from tests.web import given as committed

# Each example needs a database, so a failing one is shown as it is, without shrinking.
ECONOMICAL = {
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}

WORDS = st.text(st.sampled_from("张王李陈=+-@'\"萝卜 茶,;ab1·"), min_size=1, max_size=8).map(
    lambda text: "户" + text.strip()
)


def exported(session, kind, by, ending, lang) -> bytes:
    desk = desk_for(session, by)
    # Everything, as the house itself would: what a desk may not see is tried elsewhere.
    columns = [each for each in kind.columns if desk.sees(each)]
    if ending == "csv":
        return b"".join(export_csv(session, kind, desk, columns, mark="=标记", lang=lang, now=NOON))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"
        write_export(path, session, kind, desk, columns, mark="标记", lang=lang, now=NOON)
        return path.read_bytes()


@st.composite
def township(draw):
    """Random things of every kind, as arguments of the operations that make them."""
    homes = draw(
        st.lists(
            st.tuples(
                WORDS,
                st.sampled_from([makers.DASHAN, makers.QINGLONG, makers.MAOXI]),
                st.integers(1, 30),
                st.integers(1, 9),
                st.sampled_from([None, "13812345678", "02379310000"]),
                st.lists(
                    st.tuples(st.sampled_from(["", "屋后", "=湾里"]), st.integers(1, 9_999),
                              st.integers(2020, 2026)),
                    max_size=3, unique_by=lambda plot: (plot[0], plot[2]),
                ),
                st.booleans(), st.booleans(), st.booleans(),
            ),
            min_size=1, max_size=4, unique_by=lambda home: home[0],
        )
    )  # fmt: skip
    goods = draw(
        st.lists(
            st.tuples(WORDS, WORDS, st.sampled_from(list(BaseUnit)), st.integers(1, 900),
                      st.booleans(),
                      st.sampled_from([[], [["10-10", "12-20"], ["02-01", "03-05"]]]),
                      st.sampled_from([None, 2_500]), st.integers(1, 99_999),
                      st.integers(1, 10**6), st.integers(1, 10**8)),
            min_size=1, max_size=3, unique_by=lambda good: good[0],
        )
    )  # fmt: skip
    slips = draw(
        st.lists(
            st.tuples(st.integers(1, 10**7), st.integers(0, 9), st.integers(0, 9_999),
                      st.integers(0, 60), st.sampled_from(list(Grade))),
            max_size=4,
        )
    )  # fmt: skip
    return homes, goods, slips


def settle(session, drawn):
    homes, goods, slips = drawn
    supplier = makers.supplier(session, code="S1")
    made = [_home(session, number, each) for number, each in enumerate(homes)]
    for number, (zh, en, unit, shelf, fresh, harvest, most, content, fen, price) in enumerate(
        goods
    ):
        product = makers.product(
            session, supplier, code=f"P{number}", slug=f"p{number}", name_zh=zh, name_en=en,
            base_unit=unit, shelf_life_days=shelf, fresh=fresh, harvest=harvest,
            most_yield_kg_per_mu=most, storage_zh=en, summary_zh="", summary_en=zh,
        )  # fmt: skip
        makers.pack(session, product, content=content, price=Money(fen))
        makers.pack(session, product, shelf=Shelf.CANTEENS, unit_price=Price(price))
    radish = makers.sold_product(session, (), of=supplier, code="R01", name_zh="太空萝卜")
    # One place and day twice: the second price corrects the first.
    record_references(
        session,
        [
            Seen(radish.id, source, goods[0][0], Price(price), TODAY - timedelta(days=shelf))
            for source in ReferenceSource
            for shelf, price in ((goods[0][3], 28_000), (goods[0][3], goods[0][9]))
        ],
        by=SOMEBODY, now=NOON,
    )  # fmt: skip
    for grade in Grade:
        makers.purchase_price(session, radish, grade=grade)
        makers.purchase_price(
            session, radish, grade=grade, price=Price(32_150), valid_from=TODAY + timedelta(days=3)
        )
    for number, (gross, tare, deduction, ago, grade) in enumerate(slips):
        _slip(session, supplier, made[number % len(made)], radish,
              gross + 1_000, tare, deduction // 100, ago, grade, number)  # fmt: skip
    return supplier


def _home(session, number, drawn):
    name, village, group, people, phone, plots, head, account, status = drawn
    home = makers.household(
        session, name, region_code=village, group_no=group, people=people, phone=phone
    )
    for place, area, year in plots:
        households.add_plot(session, home.id, place=place, area_mu_100=area, crop="R01", year=year,
                            by=SOMEBODY, now=NOON)  # fmt: skip
    if head:
        households.add_member(
            session, home.id, name=name, relation="户主", sex=Sex.MALE, is_head=True,
            identity=identity_with_check(f"50011419000101{number:02}1"), by=SOMEBODY, now=NOON,
        )  # fmt: skip
    if account:
        makers.account(session, home, number=f"62170000{number:08}")
    if status:
        households.record_status(
            session, home.id, lifted=True, monitor_type=MonitorType.UNSTABLE,
            risk_status=RiskStatus.OPEN, as_of=date(2026, 3, 1), source="=系统", by=SOMEBODY,
            now=NOON,
        )  # fmt: skip
    return home


def _slip(session, supplier, home, product, gross, tare, deduction, ago, grade, number):
    slip = makers.lots.record_slip(
        session, supplier_id=supplier.id, household_id=home.id, product_id=product.id, grade=grade,
        gross_g=gross, tare_g=tare, deduction_bp=deduction, device="scale", device_seq=str(number),
        weighed_at=NOON - timedelta(days=ago), by=SOMEBODY, now=NOON,
    )  # fmt: skip
    makers.lots.confirm_slip(
        session, slip.id, confirmation=makers.Confirmation.SIGNATURE, confirmed_by=home.name,
        by=SOMEBODY, now=NOON,
    )  # fmt: skip
    makers.shares.take_in_slips(session, [slip.id], supplier_id=supplier.id, by=SOMEBODY, now=NOON)


@settings(max_examples=6, **ECONOMICAL)
@given(
    drawn=township(), ending=st.sampled_from(["xlsx", "csv"]), lang=st.sampled_from(["zh", "en"])
)
def test_taking_out_and_bringing_in_changes_nothing(db, drawn, ending, lang):
    with db.rehearsal() as session:
        supplier = settle(session, drawn)
        session.flush()
        own = Actor(door=Door.WEB, role=Role.MANAGER, organisation_id=supplier.organisation_id)
        for by in (SOMEBODY, own):
            for kind in KINDS.values():
                file = exported(session, kind, by, ending, lang)
                before = everything(session)
                desk = desk_for(session, by)
                told = _run_here(session, kind, desk, read_or_nothing(kind, desk, file))
                assert {each.outcome for each in told} <= {Outcome.UNCHANGED}, (kind.key, told)
                assert everything(session) == before, kind.key


def read_or_nothing(kind, desk, file):
    """The table; None for one that has only its headings."""
    rows = [row for row in read_grid(file).rows if any(cell not in (None, "") for cell in row)]
    return read_table(kind, desk, file) if len(rows) > 2 else None


def _run_here(session, kind, desk, table):
    if table is None:
        return []
    return run_rows(session, kind, desk, table, now=NOON, tell=lambda done, of: None)


def everything(session):
    """Every row of every table, as the database holds it."""
    session.flush()
    return {
        name: sorted(map(repr, session.execute(sa.select(table)).all()))
        for name, table in Model.metadata.tables.items()
        if name != "regions"
    }


@st.composite
def tables(draw):
    """Files with good, wrong, repeated and contradicting rows."""
    names = st.sampled_from(["张三", "李四", "王五", "赵六"])
    rows = draw(
        st.lists(
            st.tuples(names, st.sampled_from(["大山村", "青龙村3组", "天上村", ""]),
                      st.sampled_from(["1组", "２", "", "x"]), st.sampled_from([1, "4人", 0, ""]),
                      st.sampled_from(["", "13812345678", "123"]),
                      st.sampled_from(["", "R01", "太空萝卜", "X9"]),
                      st.sampled_from(["", "1.5", "两亩", 3]),
                      st.sampled_from(["", "6217000000000001", "62*1"])),
            min_size=1, max_size=12,
        )
    )  # fmt: skip
    return [["户主", "村", "组", "人口", "电话", "作物", "面积", "账号"], *rows]


@settings(max_examples=12, **ECONOMICAL)
@given(rows=tables())
def test_a_dry_run_says_exactly_what_the_real_run_does(db, rows):
    """And what it says is what is there afterwards; both times nothing but the good rows."""
    with db.reading() as session:
        if session.scalar(sa.select(Product.id)) is None:
            with committed(db) as writing:
                makers.sold_product(writing, (), code="R01", name_zh="太空萝卜")
                makers.household(writing, "张三", region_code=makers.DASHAN, group_no=1)
    before = snapshot(db)
    shown = run(db, "households", book(rows), commit=False)
    assert snapshot(db) == before
    real = run(db, "households", book(rows), commit=True)
    assert real.written() == shown.written()
    after = snapshot(db)
    changed = real.counts()[Outcome.ADDED] + real.counts()[Outcome.CHANGED]
    assert (after == before) == (changed == 0)
    again = run(db, "households", book(rows), commit=True)
    assert again.counts()[Outcome.ADDED] == again.counts()[Outcome.CHANGED] == 0
    assert snapshot(db) == after


def snapshot(db):
    with db.reading() as session:
        return everything(session)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("key", KINDS)
def test_the_empty_form_is_understood_and_its_example_is_not_taken_in(db, key, lang, tmp_path):
    kind = KINDS[key]
    with db.reading() as session:
        desk = desk_for(session, SOMEBODY)
    columns = columns_in(kind, desk)
    path = tmp_path / "form.xlsx"
    write_form(path, kind, columns, lang=lang)

    assert "nothing below" in str(_refusal(kind, desk, path.read_bytes()))
    xml = _part(path, "xl/worksheets/sheet1.xml")
    lists = [each for each in columns if each.type.choices(lang)]
    assert xml.count("<dataValidation ") == len(lists)
    assert 'state="frozen"' in xml
    comments = sum(each.note is not None for each in columns)
    assert not comments or _part(path, "xl/comments1.xml").count("<comment ") == comments
    found = {each.key for each in columns if each.required}
    heading = find_heading(read_grid(path.read_bytes()).rows, columns)
    assert [each.column for each in heading.found] == columns
    assert found <= {each.column.key for each in heading.found}


def _refusal(kind, desk, content):
    with pytest.raises(Invalid) as refused:
        read_table(kind, desk, content)
    return refused.value.errors["file"]


def _part(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


SECRETS = {"identity", "phone", "account", "bank", "holder", "proof"}
STATUS = {"lifted", "monitor", "risk", "as_of", "source"}


@pytest.mark.parametrize(
    ("role", "kept"),
    [(Role.MANAGER, set()), (Role.ACCOUNTANT, set()), (Role.OFFICIAL, STATUS),
     (Role.HELPER, STATUS | {"phone"}), (Role.DISTRICT, STATUS), (Role.AUDITOR, STATUS),
     (Role.BUYER, set()), (Role.OPERATOR, set())],
)  # fmt: skip
def test_no_column_leaves_that_its_reader_may_not_read_in_clear(role, kept):
    out = {each.key for each in columns_out(KINDS["households"], viewer_of(role))}
    assert out & (SECRETS | STATUS) == kept
    assert not {each.key for each in columns_out(KINDS["households"], None)} & (SECRETS | STATUS)
    assert viewer_of(Role.MANAGER) is Viewer.SUPPLIER

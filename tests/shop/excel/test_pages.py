"""Excel at the cooperative's desk: seen first, agreed to, done, and taken out again."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from catalog.households import operations as households
from catalog.households.models import Household, HouseholdStatus
from catalog.lots.models import Lot, WeighSlip
from catalog.products.models import PurchasePrice
from kernel.actors import Door, Role
from kernel.audit import AuditEntry
from kernel.people import Organisation, OrganisationKind
from kernel.sheets import read_grid
from kernel.storage import StoredFile
from orders.ledger.models import Transfer
from shop.excel import doing
from shop.excel.models import ImportRun
from shop.working import Worker
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.shop.excel.books import book, upload
from tests.web import given, person


class Coop:
    def __init__(self, db, app):
        self.db, self.app = db, app
        with db.transaction() as session:
            self.supplier = makers.supplier(session, "水市镇联合社", code="S9")
            body = session.get(Organisation, self.supplier.organisation_id)
            self.people = {
                role: makers.member(session, body, role, name=role.value)
                for role in (Role.WEIGHER, Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER)
            }
            self.product = makers.sold_product(session, (), of=self.supplier, code="R01")
            self.home = makers.household(session, "张三", phone="13812345678")
            makers.purchase_price(session, self.product)

    def sign_in(self, role, lang="en"):
        return person(self.app, self.people[role], lang=lang)

    def rows(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()


@pytest.fixture
def coop(db, app):
    return Coop(db, app)


def test_a_file_is_seen_first_and_changes_only_after_a_yes(coop):
    manager = coop.sign_in(Role.MANAGER)
    rows = [
        ["农户登记表"],
        ["户主", "村组", "人口", "联系电话", "作物", "面积（亩）"],
        ["张三", "大山村3组", "５", "138 1234 5678", "R01", "1.2"],
        ["李四", "青龙村2组", 3, "13900001111", "", ""],
    ]
    upload(manager, "/coop/excel/households", book(rows))
    manager.sees("Would be added 1", "Would change 1", "People: 4 → 5", "李四")
    assert len(coop.rows(Household)) == 1

    manager.press("Take in 2 rows").sees("1 added, 1 changed, 0 unchanged, 0 rejected.")
    assert {each.name: each.people for each in coop.rows(Household)} == {"张三": 5, "李四": 3}
    upload(manager, "/coop/excel/households", book(rows)).sees("Would change 0", "Unchanged 2")


HEAD = ["户主", "村", "组", "人口"]
LEDGER = ["日期", "单号", "农户", "产品", "等级", "净重"]


def counts(coop, *models):
    with coop.db.reading() as session:
        return [session.scalar(sa.select(sa.func.count()).select_from(each)) for each in models]


def test_a_double_click_brings_and_takes_in_once(coop):
    manager = coop.sign_in(Role.MANAGER)
    upload(manager, "/coop/excel/households", book([HEAD, ["李四", "青龙村", 2, 3]]))
    manager.press("Take in one row").sees("1 added")
    manager.again().sees("already done")
    assert counts(coop, ImportRun, Household) == [1, 2]


def test_good_rows_may_come_in_alone_and_the_others_go_back_with_their_reasons(coop):
    manager = coop.sign_in(Role.MANAGER)
    rows = [["登记表"], HEAD, ["李四", "青龙村", 2, 3], ["王五", "天上村", "２", "3"]]
    upload(manager, "/coop/excel/households", book(rows))
    manager.sees("Rejected 1", "B4", "There is no village 天上村 here.")

    code = coop.rows(ImportRun)[0].code
    answer = manager.client.get(f"/coop/excel/files/{code}/rejected.xlsx")
    back = [row for row in read_grid(answer.data).rows if any(row)]
    assert back[1][1:] == ["Name", "Village", "Group", "People"]
    assert back[2][0].startswith("B4 Village: There is no village")
    assert back[2][1:] == ["王五", "天上村", "２", "3"]

    manager.open(f"/coop/excel/files/{code}").press("Take in the one good row")
    manager.sees("1 added, 0 changed, 0 unchanged, 1 rejected.")
    assert [each.name for each in coop.rows(Household)] == ["张三", "李四"]

    back[2][2] = "大山村"
    upload(manager, "/coop/excel/households", book(back)).sees("Would be added 1", "Rejected 0")


def test_what_was_shown_is_what_happens_or_nothing_does(coop):
    manager = coop.sign_in(Role.MANAGER)
    upload(manager, "/coop/excel/households", book([HEAD, ["张三", "大山村", 3, 5]]))
    manager.sees("4 → 5")
    with given(coop.db) as session:
        session.get(Household, coop.home.id).people = 9
    manager.press("Take in one row").sees("Something changed since this was shown", "9 → 5")
    assert coop.rows(Household)[0].people == 9
    manager.press("Take in one row").sees("1 changed")
    assert coop.rows(Household)[0].people == 5


def test_goods_are_brought_by_one_and_taken_in_by_another(coop):
    weigher, manager = coop.sign_in(Role.WEIGHER), coop.sign_in(Role.MANAGER)
    rows = [LEDGER, ["2026年11月20日", "台-1", "张三", "R01", "一等", "120斤"]]
    upload(weigher, "/coop/excel/lots", book(rows)).sees("Would be added 1", "second person")
    assert "Take in one row" not in weigher.text
    assert counts(coop, WeighSlip, Transfer) == [0, 0]

    storekeeper = coop.sign_in(Role.STOREKEEPER).open(weigher.path).press("Take in one row")
    storekeeper.sees("1 added", "brought by weigher", "agreed by storekeeper")
    [slip] = coop.rows(WeighSlip)
    assert (slip.net_g, slip.device, slip.device_seq) == (60_000, "ledger:S9", "台-1")
    assert slip.made_by_id == coop.people[Role.WEIGHER].id
    assert slip.taken_in_by_id == coop.people[Role.STOREKEEPER].id
    assert (slip.door, coop.rows(Lot)[0].door) == (Door.IMPORT, Door.IMPORT)

    # A manager may do either, but not both.
    rows[1][1] = "台-2"
    upload(manager, "/coop/excel/lots", book(rows)).sees("somebody else than who wrote them down")
    send = manager.client.post(f"{manager.path}/agree", data=tokens(manager))
    assert send.status_code == 409
    assert counts(coop, WeighSlip, Lot) == [1, 1]


def tokens(page):
    form = page.page.find("input", attrs={"name": "once"}).find_parent("form")
    return {
        field["name"]: field["value"]
        for field in form.find_all("input")
        if field.get("name") in ("once", "csrf_token")
    }


def test_another_organisation_s_rows_cannot_be_touched_or_seen(coop):
    with given(coop.db) as session:
        other = makers.supplier(session, "别的合作社", code="S8", region_code="500114124000")
        body = session.get(Organisation, other.organisation_id)
        stranger = makers.member(session, body, Role.MANAGER, name="别人")
        makers.product(session, other, code="X01", name_zh="别家的茶")
        makers.household(session, "远方", region_code="500114124201")
    manager = coop.sign_in(Role.MANAGER)
    prices = [
        ["产品", "等级", "收购价", "生效日期", "决议文号"],
        ["X01", "一等", 9, "2026-12-01", "1"],
    ]
    upload(manager, "/coop/excel/prices", book(prices)).sees("There is no product X01 here.")
    products = [
        ["产品编码", "产品名称", "类别", "保质期", "供应商"],
        ["X02", "茶", "蔬菜", 9, "S8"],
        ["X01", "改名", "蔬菜", 9, ""],
    ]
    upload(manager, "/coop/excel/products", book(products))
    manager.sees("another supplier", "A product with this code or address exists already.")
    with coop.db.reading() as session:
        far = session.scalars(sa.select(Household).where(Household.name == "远方")).one()
    rows = [["户编号", "户主", "人口"], [far.code, "远方", 9]]
    upload(manager, "/coop/excel/households", book(rows)).sees("There is no household")

    theirs = person(coop.app, stranger)
    for path in ("", "/original", "/rejected.xlsx"):
        theirs.open(f"{manager.path}{path}", status=404)
    theirs.open("/coop/excel/households")
    form = tokens(theirs)
    assert theirs.client.post(f"{manager.path}/agree", data=form).status_code == 404
    assert counts(coop, PurchasePrice) == [1]
    assert {each.people for each in coop.rows(Household)} == {4}


@pytest.mark.parametrize(
    ("role", "key", "may"),
    [(Role.STOREKEEPER, "lots", False), (Role.STOREKEEPER, "prices", False),
     (Role.ACCOUNTANT, "products", False), (Role.ACCOUNTANT, "prices", True),
     (Role.WEIGHER, "lots", True)],
)  # fmt: skip
def test_only_those_bring_a_table_whose_work_it_is(coop, role, key, may):
    someone = coop.sign_in(role).open(f"/coop/excel/{key}")
    assert bool(someone.page.find("input", {"type": "file"})) is may
    form = tokens(coop.sign_in(Role.MANAGER).open("/coop/excel/households"))
    answer = someone.client.post(f"/coop/excel/{key}", data={**form, **csrf(someone)})
    assert answer.status_code == (422 if may else 403)
    assert counts(coop, ImportRun) == [0]


def test_a_table_that_is_nothing_of_theirs_does_not_open_at_all(coop):
    coop.sign_in(Role.WEIGHER).open("/coop/excel/households", status=403)


def csrf(page):
    """A form of one's own, whatever page it stands on."""
    page.open("/account")
    field = page.page.find("input", attrs={"name": "csrf_token"})
    return {"csrf_token": field["value"]}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [(b"", "", "Choose a file."), (b"", "a.xlsx", "This file is empty."),
     (b"<html><table>", "a.xls", "web page"), (book([["x"] * 1000]), "a.xlsx", "1000 columns"),
     (book([["天气"], ["晴"]]), "a.xlsx", "No row of headings")],
)  # fmt: skip
def test_a_bad_file_is_refused_at_its_field(coop, content, name, said):
    manager = coop.sign_in(Role.MANAGER)
    upload(manager, "/coop/excel/households", content, name).sees(said)
    assert manager.status == 422
    assert manager.page.find(id="f-file-error")
    assert counts(coop, ImportRun, StoredFile) == [0, 0]


def test_a_long_table_is_work_that_can_be_left(coop, app):
    manager = coop.sign_in(Role.MANAGER)
    rows = [HEAD, *([f"农户{n}", "大山村", 1 + n % 6, 3] for n in range(doing.AT_ONCE + 1))]
    upload(manager, "/coop/excel/households", book(rows))
    manager.sees("Every row is being looked at.", "0 of 301 rows", "leave this page")
    assert manager.page.find("progress")["max"] == "301"
    path = manager.path
    app.extensions["services"].storage.keep_note(f"import-{path.rsplit('/', 1)[1]}", b"150/301")
    manager.open(path).sees("150 of 301 rows")

    Worker(app.extensions["services"]).drain()
    assert counts(coop, Household) == [1]
    manager.open(path).sees("Would be added 301").press("Take in 301 rows")
    manager.sees("The rows are being taken in.")
    Worker(app.extensions["services"]).drain()
    manager.open(path).sees("301 added, 0 changed, 0 unchanged, 0 rejected.")
    assert counts(coop, Household) == [302]

    # The job once more changes nothing.
    run = coop.rows(ImportRun)[0]
    doing.carry_out_run(app.extensions["services"], run.id, now=run.made_at)
    doing.preview(app.extensions["services"], run.id, now=run.made_at)
    assert counts(coop, Household) == [302]


def test_the_page_of_a_file_asks_the_same_number_of_questions_however_long_it_is(coop, statements):
    manager = coop.sign_in(Role.MANAGER)
    sent = []
    for number in (1, 40):
        rows = [HEAD, *([f"户{number}-{n}", "大山村", 1, 3] for n in range(number))]
        upload(manager, "/coop/excel/households", book(rows))
        manager.open(manager.path)
        statements.clear()
        manager.open(manager.path)
        sent.append(len(statements))
        manager.open("/coop/excel")
    assert sent[0] == sent[1]


def test_what_is_taken_out_bears_a_name_and_is_noted_and_hides_what_it_must(coop):
    with given(coop.db) as session:
        households.add_plot(session, coop.home.id, place="屋后", area_mu_100=120, crop="R01",
                            year=2026, by=SOMEBODY, now=NOON)  # fmt: skip
        makers.account(session, coop.home)
        makers.bought(session, coop.product, coop.home)
    manager = coop.sign_in(Role.MANAGER, lang="zh")
    for ending in ("xlsx", "csv"):
        answer = manager.client.get(f"/coop/excel/households/table.{ending}")
        rows = [row for row in read_grid(answer.data).rows if any(row)]
        said = " ".join(str(cell) for row in rows for cell in row)
        assert "水市镇联合社" in rows[0][0]
        assert "manager" in rows[0][0]
        assert "张三" in said
        assert not {"13812345678", "6217", "身份证号", "电话", "银行账号"} & set(said.split())
        assert "138" not in said
        assert "6217" not in said
    noted = [each for each in coop.rows(AuditEntry) if each.action == "export_households"]
    assert len(noted) == 2
    assert noted[0].user_id == coop.people[Role.MANAGER].id
    assert "phone" not in noted[0].notes
    upload(manager, "/coop/excel/households", answer.data, "农户.csv").sees("未变 1")
    coop.sign_in(Role.WEIGHER).open("/coop/excel/households/table.xlsx", status=403)


def test_a_preview_does_not_tell_what_the_desk_may_not_know(coop):
    manager = coop.sign_in(Role.MANAGER)
    rows = [[*HEAD, "电话"], ["张三", "大山村", 3, 4, "13900001111"]]
    upload(manager, "/coop/excel/households", book(rows))
    manager.sees("138****5678", "139****1111").does_not_see("13812345678")
    stored = coop.app.extensions["services"].storage.get(coop.rows(StoredFile)[0].sha256)
    assert stored[:2] != b"PK"
    answer = manager.client.get(f"{manager.path}/original")
    assert answer.data[:2] == b"PK"


def test_a_township_brings_its_register_with_the_status_and_its_source(coop):
    with given(coop.db) as session:
        office = makers.organisation(session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT)
        official = makers.member(session, office, Role.OFFICIAL, name="镇干部")
    desk = person(coop.app, official)
    rows = [
        [*HEAD, "脱贫户", "监测类型", "身份截止日期", "身份来源"],
        ["张三", "大山村", 3, 4, "是", "脱贫不稳定户", "2026.03.01", "乡村振兴系统"],
    ]
    upload(desk, "/office/excel/households", book(rows)).sees("Would change 1")
    desk.press("Take in one row").sees("1 changed")
    [status] = coop.rows(HouseholdStatus)
    assert (status.lifted, status.as_of, status.source) == (True, date(2026, 3, 1), "乡村振兴系统")
    # The cooperative neither sees nor sets it.
    upload(coop.sign_in(Role.MANAGER), "/coop/excel/households", book(rows)).sees(
        "Not used: the columns 脱贫户, 监测类型, 身份截止日期, 身份来源", "Unchanged 1"
    )
    desk.open("/office/excel/products", status=404)


def test_the_forms_come_from_the_desk_and_say_what_they_want(coop):
    manager = coop.sign_in(Role.MANAGER, lang="zh").open("/coop/excel")
    for key in ("households", "products", "prices"):
        answer = manager.client.get(f"/coop/excel/{key}/form.xlsx")
        rows = [row for row in read_grid(answer.data).rows if any(row)]
        assert len(rows) == 3, key
        assert "监测类型" not in rows[1]
    manager.open("/coop/excel/households").sees("户主", "必填")

"""Excel at the cooperative's desk: seen first, agreed to, done, and taken out again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.households.models import Household
from kernel.actors import Role
from kernel.people import Organisation
from tests import makers
from tests.shop.excel.books import book, upload
from tests.web import person


class Coop:
    def __init__(self, db, app):
        self.db, self.app = db, app
        with db.transaction() as session:
            self.supplier = makers.supplier(session, "水市镇联合社")
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

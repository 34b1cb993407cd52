"""A township with two households of which everything is known, and somebody at every desk."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from catalog.households import operations as households
from catalog.households.models import Household, MonitorType, RiskStatus, Sex
from kernel.actors import Role
from kernel.codes import identity_with_check
from kernel.people import Organisation, OrganisationKind
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
# Nobody's numbers: born 1900 and, the child, 2015 on a day before the region's code was given.
HEAD, WIFE = "500114190001010019", "500114190001010027"
CHILD = identity_with_check("50011420150101001")
OTHER = identity_with_check("50011419000102001")
PHONE, OTHER_PHONE = "13812345678", "13912345679"
ACCOUNT, OTHER_ACCOUNT = "6217001234567890123", "6217009876543210987"


class Homes:
    """`own` delivered to the cooperative; `other` lives in the same township and did not."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with given(db) as session:
            self.supplier = makers.supplier(session, "水市镇联合社")
            coop = session.get(Organisation, self.supplier.organisation_id)
            bodies = {
                Role.OFFICIAL: self._body(session, "水市镇产业中心", makers.TOWNSHIP),
                Role.DISTRICT: self._body(session, "黔江区农业农村委", "500114000000"),
                Role.DEPARTMENT: self._body(session, "黔江区教委", "500114000000"),
                Role.AUDITOR: self._body(session, "黔江区审计局", "500114000000"),
                Role.HELPER: self._body(session, "大山村工作站", makers.DASHAN),
                Role.HOUSEHOLD: self._body(session, "大山村", makers.DASHAN),
                Role.OPERATOR: self._body(session, "平台", makers.TOWNSHIP),
            }
            for role in (Role.WEIGHER, Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER):
                bodies[role] = coop
            self.people = {
                role: makers.member(session, body, role, name=f"同事{role.value}")
                for role, body in bodies.items()
            }
            self.product = makers.sold_product(session, (), of=self.supplier)
            makers.purchase_price(session, self.product)
            self.own = self._home(session, "张三丰", PHONE, HEAD, ACCOUNT)
            self.other = self._home(session, "李四光", OTHER_PHONE, OTHER, OTHER_ACCOUNT)
            self._family(session)
            self.slip = makers.slip(session, self.product, self.own, net_g=100_000)
            households.give_account(session, self.own.id, self.people[Role.HOUSEHOLD].id, **DID)

    def _body(self, session, name, region):
        return makers.organisation(
            session, name, kind=OrganisationKind.GOVERNMENT, region_code=region
        )

    def _home(self, session, name, phone, identity, account):
        home = makers.household(session, name, phone=phone)
        households.add_member(
            session, home.id, name=name, relation="户主", sex=Sex.MALE, identity=identity,
            is_head=True, **DID,
        )  # fmt: skip
        households.open_payout_account(
            session, home.id, holder=name, bank="农商行", number=account, proof="", **DID
        )
        households.record_status(
            session, home.id, lifted=True, monitor_type=MonitorType.UNSTABLE,
            risk_status=RiskStatus.OPEN, as_of=date(2026, 9, 30), source="监测系统导出", **DID,
        )  # fmt: skip
        households.add_plot(
            session, home.id, place="屋后", area_mu_100=120, crop=self.product.code, year=2026,
            **DID,
        )  # fmt: skip
        return home

    def _family(self, session):
        for name, relation, sex, identity in (
            ("周芷若", "配偶", Sex.FEMALE, WIFE),
            ("张小宝", "孙子", Sex.MALE, CHILD),
        ):
            households.add_member(
                session, self.own.id, name=name, relation=relation, sex=sex, identity=identity,
                **DID,
            )  # fmt: skip
        households.assign_helper(
            session, self.own.id, self.people[Role.HELPER].id, valid_from=TODAY, **DID
        )

    def sign_in(self, role, lang="en"):
        return person(self.app, self.people[role], lang=lang)

    def rows(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()

    def home(self, code) -> Household:
        with self.db.reading() as session:
            return session.scalars(sa.select(Household).where(Household.code == code)).one()

"""From the application form to the shelf: manager, two people of the county, operator."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
import sqlalchemy as sa

from catalog.products.models import Product, ProductState
from catalog.suppliers import checks, operations, queries
from catalog.suppliers.models import (
    MOVES,
    AdmissionReason,
    Application,
    Supplier,
    SupplierEvent,
    SupplierState,
)
from catalog.suppliers.views.sheet import _VERBS
from kernel.actors import Role
from kernel.errors import Forbidden, Invalid, Refusal
from kernel.people import Organisation, OrganisationKind
from kernel.versions import versions_of
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
WHY = {"reason": AdmissionReason.NO_LINKAGE, "sentence": "没有一户的付款凭证"}
COUNTY = "500114000000"


def actor_of(session, role, region_code=COUNTY, kind=OrganisationKind.GOVERNMENT):
    body = makers.organisation(session, f"{role.value}{next(makers.LICENCES)}", kind=kind,
                               region_code=region_code)  # fmt: skip
    return makers.acting(makers.member(session, body, role), role, body)


def test_no_move_happens_that_the_table_does_not_name(session):
    """Every pair of states, asked for by every role: what is not in MOVES changes nothing."""
    supplier = makers.supplier(session, admitted=False)
    makers.apply(session, supplier)
    actors = {role: actor_of(session, role) for role in Role}
    verbs = {**_VERBS, SupplierState.APPLIED: operations.submit_application}
    for frm, to in itertools.product(SupplierState, verbs):
        allowed = MOVES.get((frm, to))
        needs = to in (SupplierState.RECTIFYING, SupplierState.SUSPENDED, SupplierState.REMOVED)
        why = WHY if needs or to is SupplierState.DRAFT else {}
        for role in (Role.MANAGER, Role.DISTRICT, Role.OPERATOR, Role.OFFICIAL):
            if frm is to or (allowed and role in allowed.roles):
                continue
            supplier.state = frm
            with pytest.raises((Refusal, Forbidden)):
                verbs[to](session, supplier.id, **why, by=actors[role], now=NOON)
            assert supplier.state is frm, (frm, to, role)


def test_nobody_makes_both_reviews_of_the_county(session):
    supplier = makers.supplier(session, admitted=False)
    makers.apply(session, supplier)
    first, second = actor_of(session, Role.DISTRICT), actor_of(session, Role.DISTRICT)
    for step in (operations.begin_review, operations.pass_agriculture):
        step(session, supplier.id, by=first, now=NOON)
    with pytest.raises(Refusal, match="somebody else"):
        operations.pass_revitalisation(session, supplier.id, by=first, now=NOON)
    assert supplier.state is SupplierState.REVITALISATION_REVIEW
    assert queries.latest_application(session, supplier.id).revitalisation_by_id is None
    operations.pass_revitalisation(session, supplier.id, by=second, now=NOON)
    assert supplier.state is SupplierState.RECOMMENDED
    application = queries.latest_application(session, supplier.id)
    with pytest.raises(sa.exc.IntegrityError, match="two_reviewers"):
        session.execute(
            sa.update(Application)
            .where(Application.id == application.id)
            .values(revitalisation_by_id=first.user_id)
        )


def test_what_is_sent_back_comes_again_as_another_frozen_version(session):
    supplier = makers.supplier(session, admitted=False)
    sent = makers.apply(session, supplier)
    assert operations.submit_application(session, supplier.id, **DID).id == sent.id
    with pytest.raises(Refusal, match="in draft only"):
        operations.save_profile(session, supplier.id, makers.declared(), **DID)
    operations.begin_review(session, supplier.id, **DID)
    for wrong in ({**WHY, "sentence": " "}, {**WHY, "sentence": "长" * 301}):
        with pytest.raises(Invalid):
            operations.return_application(session, supplier.id, **wrong, **DID)
    assert supplier.state is SupplierState.AGRICULTURE_REVIEW
    operations.return_application(session, supplier.id, **WHY, **DID)
    last = queries.events_of(session, supplier.id)[-1]
    assert (last.reason, last.sentence) == (AdmissionReason.NO_LINKAGE, "没有一户的付款凭证")
    uscc = session.get(Organisation, supplier.organisation_id).uscc
    again = makers.declared(uscc=uscc, origin_code=makers.TOWNSHIP, main_products="红茶")
    operations.save_profile(session, supplier.id, again, **DID)
    second = operations.submit_application(session, supplier.id, **DID)
    assert second.number != sent.number
    before, now = versions_of(session, f"supplier:{supplier.id}")
    assert (before.content()["main_products"], now.content()["main_products"]) == (
        "太空萝卜、魔芋", "红茶",
    )  # fmt: skip
    assert before.intact
    assert now.intact


def test_everything_that_is_missing_is_said_at_once(session):
    supplier = makers.supplier(session, admitted=False)
    with pytest.raises(Refusal) as refused:
        operations.submit_application(session, supplier.id, **DID)
    assert len(refused.value.reasons) == 2
    taken = session.get(Organisation, makers.supplier(session).organisation_id).uscc
    for uscc in ("914403001922038217", "91440300I922038216", taken):
        with pytest.raises(Invalid) as invalid:
            operations.save_profile(
                session, supplier.id,
                makers.declared(uscc=uscc, origin_code="110000000000", mechanisms=()), **DID,
            )  # fmt: skip
        assert set(invalid.value.errors) == {"uscc", "origin", "mechanisms"}
    assert queries.profile_of(session, supplier.id) is None


def test_the_self_check_finds_what_was_done_behind_the_house(session):
    supplier = makers.supplier(session)
    assert [found for check in checks.CHECKS for found in check.run(session)] == []
    session.execute(
        sa.update(Supplier).where(Supplier.id == supplier.id).values(state=SupplierState.REMOVED)
    )
    session.expire_all()
    [found] = [found for check in checks.CHECKS for found in check.run(session)]
    assert found.subject == f"supplier:{supplier.id}"


class Offices:
    """A cooperative that wants to sell, and everybody who looks at it."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with given(db) as session:
            self.supplier = makers.supplier(session, "茂溪蔬菜合作社", code="MX", admitted=False)
            self.uscc = makers.licence_number()
            makers.certificate(session, self.supplier, number=self.uscc)
            body = session.get(Organisation, self.supplier.organisation_id)
            county = makers.organisation(
                session, "区农业农村委", kind=OrganisationKind.GOVERNMENT, region_code=COUNTY
            )
            away = makers.organisation(
                session, "别区", kind=OrganisationKind.GOVERNMENT, region_code="500101000000"
            )
            ours = makers.organisation(session, "溯田", kind=OrganisationKind.PLATFORM)
            self.people = {
                "manager": makers.member(session, body, Role.MANAGER),
                "weigher": makers.member(session, body, Role.WEIGHER),
                "first": makers.member(session, county, Role.DISTRICT, name="秦葛成"),
                "second": makers.member(session, county, Role.DISTRICT, name="熊杏舒"),
                "away": makers.member(session, away, Role.DISTRICT),
                "operator": makers.member(session, ours, Role.OPERATOR),
            }

    def who(self, name, lang="en"):
        return person(self.app, self.people[name], lang=lang)

    def state(self):
        with self.db.reading() as session:
            return session.get(Supplier, self.supplier.id).state


@pytest.fixture
def offices(db, app):
    return Offices(db, app)


FORM = {
    "kind": "cooperative",
    "Legal representative": "谭芋成",
    "origin": "500114125207",
    "Base": "１２０．５亩",
    "Capacity in a year": "80000",
    "Main products": "白菜",
    "contact": "谭芋成",
    "phone": "023-79310000",
    "bank": "样例农商行",
    "bank_account": "9999 0101 0000 0069",
    "annual_sales": "420000",
    "enterprise_size": "micro",
    "mechanisms": ["order", "work"],
    "linkage_statement": "保底收购",
}


def test_a_cooperative_applies_is_sent_back_applies_again_and_is_admitted(offices):
    manager = offices.who("manager").open("/coop/supplier").sees("Draft")
    manager.follow("Fill in the application")
    manager.press("Keep and check", status=422, **{**FORM, "uscc": "91I"})
    manager.sees("18 characters; this has 3", "Everything else you entered is kept.")
    assert manager.page.find(id="f-base")["value"] == "１２０．５亩"
    manager.press("Keep and check", **{**FORM, "uscc": offices.uscc})
    manager.sees("Check your answers", "120.50", "80,000 kg", offices.uscc)
    manager.press("Send the application").sees("sent to the county")
    manager.again().sees("Our admission")
    assert offices.state() is SupplierState.APPLIED

    offices.who("away").open("/office/suppliers").does_not_see("茂溪")
    offices.who("away").open("/office/suppliers/MX", status=404)
    first = offices.who("first").open("/office/suppliers").sees("1 application waits for you")
    first.follow("茂溪蔬菜合作社").press("Begin the review")
    first.press("Send it back", status=422).sees("Please fill this in.")
    first.press("Send it back", reason="papers_missing", sentence="缺基地流转合同")
    first.sees("Sent back")
    manager.open("/coop/supplier").sees("Papers missing", "缺基地流转合同", "Go on with")
    manager.open("/coop/supplier/check").press("Send the application")

    first.open("/office/suppliers/MX").press("Begin the review")
    first.press("Production and quality are as declared")
    button = "The link to households is proven: recommend it"
    first.press(button, status=409).sees("somebody else must make this one")
    offices.who("second").open("/office/suppliers/MX").press(button).sees("Recommended")
    operator = offices.who("operator").open("/admin/suppliers").follow("茂溪蔬菜合作社")
    operator.press("Begin the platform's review").press("Admit it").sees("秦葛成", "熊杏舒")
    assert offices.state() is SupplierState.ADMITTED
    with offices.db.reading() as session:
        events = session.scalars(sa.select(SupplierEvent)).all()
        assert {each.supplier_id for each in events} == {offices.supplier.id}
        assert len(events) == 9
        assert [found for check in checks.CHECKS for found in check.run(session)] == []


def test_a_suspended_supplier_has_nothing_on_sale_until_it_is_admitted_again(offices):
    with given(offices.db) as session:
        makers.admit(session, session.get(Supplier, offices.supplier.id))
        product = makers.product(session, offices.supplier, on_sale=True)
    operator = offices.who("operator").open("/admin/suppliers/MX")
    operator.press("Suspend it", reason="poor_quality", sentence="两次抽检不合格")
    operator.sees("Suspended. Its products are off sale.", "75 credit points")
    with offices.db.reading() as session:
        assert session.get(Product, product.id).state is ProductState.OFF_SALE
    operator.press("Admit it").does_not_see("Admit it")
    assert offices.state() is SupplierState.ADMITTED


def test_only_the_manager_applies_and_strangers_do_not_enter(offices):
    offices.who("weigher").open("/coop/supplier").does_not_see("Fill in the application")
    offices.who("weigher").open("/coop/supplier/application", status=403)
    offices.who("manager").open("/admin/suppliers", status=403)
    offices.who("manager").open("/office/suppliers", status=403)


def test_registers_and_files_take_the_same_number_of_queries_however_many(offices, statements):
    def asked(name, path):
        who = offices.who(name).open(path)
        statements.clear()
        who.open(path)
        return len(statements)

    paths = [("operator", "/admin/suppliers"), ("first", "/office/suppliers"),
             ("first", "/office/suppliers/MX"), ("manager", "/coop/certificates"),
             ("first", "/office/linkage/MX"), ("manager", "/coop/linkage")]  # fmt: skip
    with given(offices.db) as session:
        makers.admit(session, session.get(Supplier, offices.supplier.id))
    before = [asked(*each) for each in paths]
    with given(offices.db) as session:
        for _ in range(3):
            other = makers.supplier(session)
            makers.certificate(session, other, until=date(2026, 12, 1))
    assert [asked(*each) for each in paths] == before

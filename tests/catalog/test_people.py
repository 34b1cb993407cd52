"""Households, suppliers and products come into the books; each no has its sentence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from catalog.households import operations as households
from catalog.households import queries
from catalog.households.checks import CHECKS
from catalog.households.models import (
    Consent,
    ConsentPurpose,
    HelperAssignment,
    Household,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    RiskStatus,
    Sex,
)
from catalog.households.rules import Detail, Viewer
from catalog.products import operations as products
from catalog.products.models import ProductState, Shelf
from catalog.suppliers import operations as suppliers
from catalog.suppliers.models import AdmissionReason, CertificateKind, SupplierState
from catalog.suppliers.queries import catchment, supplier_of, supplier_sheet
from kernel.actors import Role
from kernel.audit import AuditEntry
from kernel.codes import identity_with_check
from kernel.crypto import keyed_hash
from kernel.db import stamp
from kernel.errors import Forbidden, Invalid, Missing, Refusal
from kernel.regions import prefixes
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY

DID = {"by": SOMEBODY, "now": NOON}
IDENTITY = "500114190001010019"  # a man, born 1900: nobody's number


@pytest.fixture
def home(session):
    return makers.household(session, "张三丰", phone="13812345678")


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def add_head(session, home, identity=IDENTITY, **given):
    given = {"name": "张三丰", "relation": "户主", "sex": Sex.MALE, "is_head": True, **given}
    return households.add_member(session, home.id, identity=identity, **given, **DID)


def test_a_households_code_says_nothing_and_its_name_is_found(session, home):
    assert home.code.startswith("H-")
    for typed in ("张三", "三丰", "zhangsan", "zsf", home.code, home.code.lower()[2:]):
        assert [
            row.id for row in queries.find_households(session, typed, prefixes=["500114125"])
        ] == [home.id], typed
    for typed in ("", "%", "_", "李四", "500114"):
        assert queries.find_households(session, typed, prefixes=["500114125"]) == [], typed


def test_households_outside_the_region_are_not_found(session, home):
    assert queries.find_households(session, "张三丰", prefixes=["500114126"]) == []
    with pytest.raises(Missing):
        queries.household_in(session, home.code, prefixes=["500114126"])


def test_the_old_township_code_rolls_up_to_the_new_one(session):
    """G30."""
    old = makers.household(session, "李四", region_code="500114255000")
    found = queries.find_households(session, "李四", prefixes=prefixes(session, makers.TOWNSHIP))
    assert [(row.id, row.village_code) for row in found] == [(old.id, "500114255000")]
    assert catchment(session, supplier_sheet(session, makers.supplier(session).id)) == [
        "500114125", "500114255",
    ]  # fmt: skip


def test_a_village_that_does_not_exist_is_refused(session):
    with pytest.raises(Invalid) as refused:
        makers.household(session, " ", region_code="999999999999", people=0)
    assert set(refused.value.errors) == {"name", "people", "region_code"}
    assert count(session, Household) == 0


def test_an_identity_number_with_an_old_prefix_is_accepted(session, home):
    """G23."""
    old = identity_with_check("51352319000101001")
    assert add_head(session, home, old).identity == old


def test_an_identity_number_belongs_to_one_person(session, home):
    add_head(session, home, IDENTITY.lower())
    other = makers.household(session, "李四")
    for wrong in (IDENTITY, IDENTITY[:-1] + "8", "12"):
        with pytest.raises(Invalid):
            add_head(session, other, wrong)
    with pytest.raises(Invalid):
        add_head(session, other, IDENTITY, sex=Sex.FEMALE)
    with pytest.raises(Refusal, match="has a head"):
        add_head(session, home, None)
    assert count(session, HouseholdMember) == 1


def open_account(session, home, **given):
    given = {
        "holder": "张三丰",
        "bank": "农商行",
        "number": "6217 0012 3456 7890",
        "proof": "",
        **given,
    }
    return households.open_payout_account(session, home.id, **given, **DID)


def test_one_account_is_open_at_a_time_and_the_same_again_changes_nothing(session, home):
    first = open_account(session, home)
    assert open_account(session, home).id == first.id
    with pytest.raises(Invalid) as refused:
        open_account(session, home, number="6217001234567891")
    assert set(refused.value.errors) == {"proof"}
    second = open_account(session, home, number="6217001234567891", proof="新存折复印件")
    assert (first.valid_to, second.valid_to, second.last4) == (TODAY, None, "7891")
    assert count(session, PayoutAccount) == 2


def test_a_stranger_is_paid_only_with_a_mandate(session, home):
    with pytest.raises(Invalid) as refused:
        open_account(session, home, holder="王五", number="12ab")
    assert set(refused.value.errors) == {"number", "proof"}
    assert count(session, PayoutAccount) == 0
    assert open_account(session, home, holder="王五", proof="委托书 2026-3").holder == "王五"


def record(session, home, **given):
    given = {
        "lifted": True,
        "monitor_type": MonitorType.UNSTABLE,
        "risk_status": RiskStatus.OPEN,
        "as_of": TODAY,
        "source": "防返贫监测 2026-10",
        **given,
    }
    return households.record_status(session, home.id, **given, **DID)


def test_a_status_is_imported_once_and_never_contradicts_itself(session, home):
    first = record(session, home)
    assert record(session, home).id == first.id
    with pytest.raises(Refusal):
        record(session, home, risk_status=RiskStatus.RESOLVED)
    with pytest.raises(Invalid):
        record(session, home, lifted=False, as_of=date(2026, 1, 1))
    with pytest.raises(Invalid):
        record(session, home, monitor_type=MonitorType.MARGINAL, as_of=date(2026, 1, 1))
    assert count(session, HouseholdStatus) == 1


def test_a_card_holds_only_what_its_reader_may_see(session, home):
    add_head(session, home)
    open_account(session, home)
    record(session, home)
    session.flush()

    def card(viewer):
        return queries.household_card(session, home.id, viewer=viewer, year=2026)

    public = repr(card(Viewer.PUBLIC))
    for secret in ("张三", home.code, IDENTITY, "0019", "138", "7890", "unstable"):
        assert secret not in public, secret
    supplier = card(Viewer.SUPPLIER)
    assert (supplier.name, supplier.phone, supplier.account) == (
        "张三丰", "138****5678", "****7890",
    )  # fmt: skip
    assert (supplier.status, supplier.group_no) == (None, 3)
    county = card(Viewer.COUNTY)
    assert (county.name, county.account, county.group_no) == ("张*", "", None)
    assert county.members[0].identity == "500114********0019"


def test_seeing_in_clear_needs_the_right_and_a_reason_that_is_kept(session, home):
    add_head(session, home)
    auditor = makers.acting(makers.user(session), Role.AUDITOR)
    weigher = makers.acting(makers.user(session), Role.WEIGHER)
    with pytest.raises(Forbidden):
        households.reveal(session, home.id, Detail.IDENTITY, reason="看看", by=weigher, now=NOON)
    with pytest.raises(Invalid):
        households.reveal(session, home.id, Detail.IDENTITY, reason=" ", by=auditor, now=NOON)
    told = households.reveal(
        session, home.id, Detail.IDENTITY, reason="核对代发", by=auditor, now=NOON
    )
    session.commit()
    assert told == IDENTITY
    entry = session.scalars(sa.select(AuditEntry)).one()
    assert "核对代发" in entry.notes
    assert IDENTITY not in entry.notes


def test_a_consent_that_is_taken_back_is_gone_from_public_at_once(session, home):
    given = households.give_consent(
        session, home.id, purpose=ConsentPurpose.ALIAS, content="张师傅", given_on=TODAY, **DID
    )
    assert [voice.alias for voice in queries.consented_voices(session, [home.id])] == ["张师傅"]
    for _ in range(2):
        households.withdraw_consent(session, given.id, **DID)
    session.flush()
    assert queries.consented_voices(session, [home.id]) == []
    assert count(session, Consent) == 1


def test_a_household_has_one_helper_and_the_history_stays(session, home):
    first, second = makers.user(session, "陈帮扶"), makers.user(session, "刘帮扶")
    for person, since in ((first, date(2025, 1, 1)), (first, date(2025, 6, 1)), (second, TODAY)):
        households.assign_helper(session, home.id, person.id, valid_from=since, **DID)
    session.flush()

    def mine(person, day):
        return [row.id for row in queries.households_of_helper(session, person.id, today=day)]

    assert mine(first, TODAY - timedelta(days=1)) == [home.id]
    assert mine(first, TODAY) == []
    assert mine(second, TODAY) == [home.id]
    with pytest.raises(Refusal):
        households.assign_helper(session, home.id, first.id, valid_from=date(2026, 1, 1), **DID)


def test_a_supplier_is_found_by_its_organisation_only(session):
    mine, other = makers.supplier(session), makers.organisation(session, "别的单位")
    assert supplier_of(session, mine.organisation_id).organisation.name
    for stranger in (other.id, None):
        with pytest.raises(Missing):
            supplier_of(session, stranger)


def test_a_supplier_moves_only_where_it_may(session):
    body = makers.supplier(session)
    suppliers.admit_supplier(session, body.id, **DID)
    with pytest.raises(Invalid):
        suppliers.suspend_supplier(
            session, body.id, reason=AdmissionReason.POOR_QUALITY, sentence=" ", **DID
        )
    suppliers.suspend_supplier(
        session, body.id, reason=AdmissionReason.POOR_QUALITY, sentence="抽检不合格", **DID
    )
    assert body.state is SupplierState.SUSPENDED
    with pytest.raises(Refusal):
        suppliers.register_supplier(
            session, organisation_id=body.organisation_id, code="NEW", kind=body.kind,
            phone="", bank="", bank_account="", **DID,
        )  # fmt: skip


def test_all_reasons_against_a_product_are_said_at_once(session):
    body = makers.supplier(session, admitted=False)
    suppliers.add_certificate(
        session, body.id, kind=CertificateKind.LICENCE, number=makers.licence_number(),
        valid_from=date(2020, 1, 1), valid_to=TODAY - timedelta(days=1), **DID,
    )  # fmt: skip
    product = makers.product(session, body)
    with pytest.raises(Refusal) as refused:
        products.put_on_sale(session, product.id, **DID)
    assert len(refused.value.reasons) == 3
    assert product.state is ProductState.DRAFT


def test_goods_behind_a_certificate_that_expired_yesterday_go_off_sale(session):
    """G24."""
    body = makers.supplier(session)
    expiring = {"valid_from": date(2021, 11, 23), "valid_to": TODAY - timedelta(days=1)}
    dried = makers.product(session, body, fresh=False, on_sale=True)
    fresh = makers.product(session, body, on_sale=True)
    suppliers.add_certificate(
        session,
        body.id,
        kind=CertificateKind.FOOD_PRODUCTION,
        number="SC11650011400019",
        **expiring,
        **DID,
    )
    taken = products.take_off_lapsed(session, **DID)
    assert [product.id for product in taken] == [dried.id]
    assert (dried.state, dried.state_reason) == (ProductState.OFF_SALE, "证照到期")
    assert fresh.state is ProductState.ON_SALE
    assert products.take_off_lapsed(session, **DID) == []
    suppliers.add_certificate(
        session, body.id, kind=CertificateKind.FOOD_PRODUCTION, number="SC11650011400027",
        valid_from=TODAY, valid_to=None, **DID,
    )  # fmt: skip
    products.put_on_sale(session, dried.id, **DID)
    assert dried.state is ProductState.ON_SALE


def test_a_pack_has_the_one_price_of_its_shelf(session):
    product = makers.product(session)
    for shelf, price, unit_price in (
        (Shelf.CITIZENS, None, makers.KILO_PRICE),
        (Shelf.CITIZENS, makers.BOX_PRICE, makers.KILO_PRICE),
        (Shelf.CANTEENS, makers.BOX_PRICE, None),
    ):
        with pytest.raises(Invalid):
            products.add_pack(
                session, product.id, shelf=shelf, grade=makers.Grade.FIRST, name_zh="箱",
                name_en="Box", content=1, price=price, unit_price=unit_price, **DID,
            )  # fmt: skip


def test_the_same_certificate_again_changes_nothing_and_another_is_refused(session):
    body, other = makers.supplier(session), makers.supplier(session)
    held = {
        "kind": CertificateKind.LICENCE,
        "number": "９１440300708461136T",
        "valid_from": TODAY,
        "valid_to": None,
    }
    first = suppliers.add_certificate(session, body.id, **held, **DID)
    assert suppliers.add_certificate(session, body.id, **held, **DID).id == first.id
    with pytest.raises(Refusal):
        suppliers.add_certificate(session, other.id, **held, **DID)


def test_the_self_check_finds_what_somebody_wrote_behind_the_operations(session, home):
    add_head(session, home)
    open_account(session, home)
    session.flush()

    def found():
        session.expire_all()
        return {check.name for check in CHECKS if list(check.run(session))}

    assert found() == set()
    for wrong, name in (
        ("UPDATE household_members SET identity_hash = 'x'", "households.hashes"),
        (
            "INSERT INTO consents"
            " (household_id, purpose, content, given_on, made_at, door, program)"
            " SELECT id, 'photo', '', '2026-11-01', made_at, door, program FROM households",
            "households.photos",
        ),
        (
            "INSERT INTO household_members (household_id, name, relation, sex, is_head, can_work,"
            " made_at, door, program)"
            " SELECT id, '又一', '', 'male', true, true, made_at, door, program FROM households",
            "households.one_at_a_time",
        ),
        (
            "INSERT INTO reveals (household_id, detail, reason, made_at, door, program)"
            " SELECT id, 'name', ' ', made_at, door, program FROM households",
            "households.reasons",
        ),
    ):
        before = found()
        session.execute(sa.text(wrong))
        assert found() - before == {name}, wrong


def test_the_database_itself_holds_one_helper_and_one_present_number(session, home):
    add_head(session, home)
    other = makers.household(session, "李四")
    who = makers.user(session, "陈帮扶")
    households.assign_helper(session, home.id, who.id, valid_from=TODAY, **DID)
    session.flush()
    for row in (
        HelperAssignment(
            household_id=home.id, user_id=who.id, valid_from=TODAY, **stamp(SOMEBODY, NOON)
        ),
        HouseholdMember(
            household_id=other.id, name="张三丰", relation="户主", sex=Sex.MALE,
            identity_hash=keyed_hash(IDENTITY), **stamp(SOMEBODY, NOON),
        ),
    ):  # fmt: skip
        with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
            session.add(row)
            session.flush()

"""The sample township: its numbers hold, its people are invented, its books are clean."""

from __future__ import annotations

import json
from datetime import date
from random import Random

import pytest
import sqlalchemy as sa

from catalog.households.models import Household, HouseholdStatus, Plot
from catalog.lots.models import ProcessingOutput, SlipState, WeighSlip
from config import Config
from kernel import audit
from kernel.codes import identity_problem, uscc_problem
from kernel.errors import Refusal
from orders.agencies.models import BulkOrder, Filing, Stage, Unit
from orders.payouts.models import PayoutRun, RunState
from shop import selfcheck
from shop.demo import homes, menus, rhythm, supply, tables
from shop.demo.build import build
from shop.demo.names import Names
from shop.demo.people import CITIZEN, SIGN_INS
from shop.demo.supply import Span
from tests import makers
from tests.web import given

TODAY = date(2026, 11, 23)
SPAN = Span(begin=date(2024, 12, 1), trade=date(2024, 12, 15), today=TODAY)


# ---------------------------------------------------------------- the plan, without a database


def test_the_registry_of_the_township_holds_exactly():
    found = homes.plan_homes(Random("1"))
    registered = [home for home in found if home.registered]
    konjac = [home for home in found if "K01" in home.crops]
    assert (len(registered), sum(home.people for home in registered)) == (253, 905)
    assert (len(konjac), sum(home.registered for home in konjac)) == (200, 86)
    assert len({home.village for home in found}) == 8


def test_scale_multiplies_the_households():
    found = homes.plan_homes(Random("1"), scale=3)
    assert sum(home.registered for home in found) == 3 * 253
    assert [home.number for home in found] == list(range(len(found)))


def test_nobody_of_the_sample_can_exist():
    names = Names(Random("1"))
    for sex in ("male", "female") * 500:
        number = names.identity(sex)
        assert number[6:10] == "1900"
        assert identity_problem(number, today=TODAY, sex=sex) is None
    assert uscc_problem(names.uscc("93")) is None
    assert names.phone().startswith("1990")


def test_twenty_four_units_reserve_what_the_pictures_show():
    units = tables.units()
    assert len(units) == 24
    assert sum(unit.reserved.fen for unit in units) == 236_0000_00
    assert {unit.canteen for unit in units} >= {
        "own",
        "outsourced",
        "shared_leading",
        "shared",
        "none",
    }


def test_the_same_seed_makes_the_same_plan():
    unit = tables.units()[0]
    first, again = (menus.grids_of(unit, 2026, TODAY, Random("7")) for _ in range(2))
    assert first == again
    assert first != menus.grids_of(unit, 2026, TODAY, Random("8"))


def test_schools_rest_in_summer_and_last_year_hurried_in_december():
    this = rhythm.curve("school", last_year=False)
    last = rhythm.curve("school", last_year=True)
    assert this[6] == min(this)
    assert last[10] + last[11] > this[10] + this[11] >= 20
    there = rhythm.day_at(this, 2026, rhythm.gone(this, date(2026, 9, 15)))
    assert abs((there - date(2026, 9, 15)).days) <= 1


@pytest.mark.parametrize("day", [date(2027, 1, 2), date(2027, 6, 30), date(2028, 2, 29)])
def test_the_plan_holds_on_any_day(day):
    span = Span(begin=date(day.year - 2, 12, 1), trade=date(day.year - 2, 12, 15), today=day)
    grids = [
        grid
        for unit in tables.units()
        for year in (day.year - 1, day.year)
        for grid in menus.grids_of(unit, year, day, Random(unit.key))
    ]
    wanted = supply.demands(grids, menus.parcels(day.year - 1, 50, day, Random("1")))
    made = supply.plan(wanted, span, Random("1"))
    assert made.intakes
    assert all(span.begin <= each.day <= day for each in [*made.intakes, *made.makings])


# ---------------------------------------------------------------- a short story, on both databases


@pytest.fixture
def township(app, tmp_path):
    """Nine weeks of the township."""
    services = app.extensions["services"]
    assert build(services, tmp_path / "data", days=63, say=lambda _: None)
    return services


def _count(session, model, *where):
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*where))


def test_a_short_story_is_whole_and_clean(township, tmp_path, app):
    with township.database.reading() as session:
        _numbers_hold(session)
        _everybody_has_work(session)
        found = selfcheck.run_all(session)
        assert [each.plain() for each in found if each.differences] == []
        before = audit.head(session)
    _sign_ins_are_kept(tmp_path / "data" / "sign-ins.json", app)

    said: list[str] = []
    assert not build(township, tmp_path / "data", days=63, say=said.append)
    assert "nothing was changed" in said[0]
    with township.database.reading() as session:
        assert audit.head(session) == before


def _numbers_hold(session):
    lifted = sa.select(HouseholdStatus.household_id).where(HouseholdStatus.lifted)
    people = sa.select(sa.func.sum(Household.people)).where(Household.id.in_(lifted))
    assert _count(session, Household, Household.id.in_(lifted)) == 253
    assert session.scalar(people) == 905
    konjac = (Plot.crop == "K01", Plot.year == 2026)
    assert session.scalar(sa.select(sa.func.sum(Plot.area_mu_100)).where(*konjac)) == 300_00
    growers = sa.select(Plot.household_id).where(*konjac)
    assert _count(session, Household, Household.id.in_(growers)) == 200
    assert _count(session, Household, Household.id.in_(growers), Household.id.in_(lifted)) == 86
    assert _count(session, Unit) == 24
    in_force = _count(session, Filing, Filing.state.in_(("effective", "noted")))
    assert in_force == 24


def _everybody_has_work(session):
    assert _count(session, WeighSlip, WeighSlip.state == SlipState.WEIGHED) == 3
    assert _count(session, WeighSlip, WeighSlip.state == SlipState.CONFIRMED) == 2
    assert _count(session, WeighSlip, WeighSlip.state == SlipState.REVERSED) == 1
    assert _count(session, ProcessingOutput) == 1
    stages = set(session.scalars(sa.select(BulkOrder.stage).distinct()))
    assert stages >= {
        Stage.PENDING_APPROVAL, Stage.TO_SIGN, Stage.IN_DELIVERY, Stage.TO_INVOICE, Stage.TO_PAY,
        Stage.DONE,
    }  # fmt: skip
    assert _count(session, PayoutRun, PayoutRun.state == RunState.REVIEWED) == 1


def _sign_ins_are_kept(path, app):
    kept = json.loads(path.read_text())
    assert set(kept["users"]) == {CITIZEN, *SIGN_INS.values()}
    assert kept["users"]["buyer"] == "buyer@sutian.test"
    assert path.stat().st_mode & 0o077 == 0
    client = app.test_client()
    page = client.get("/sign-in")
    assert page.status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sample_data_does_not_belong_into_production(app, tmp_path):
    services = app.extensions["services"]
    values = {name: getattr(services.config, name) for name in Config.__slots__}
    strict = Config(**{**values, "production": True})
    careful = type(services)(
        config=strict, database=services.database, storage=services.storage, mailer=services.mailer
    )
    with pytest.raises(Refusal, match="production"):
        build(careful, tmp_path, say=lambda _: None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sample_data_is_not_poured_over_real_data(app, tmp_path):
    services = app.extensions["services"]
    with given(services.database) as session:
        makers.user(session)
    with pytest.raises(Refusal, match="other data"):
        build(services, tmp_path, say=lambda _: None)

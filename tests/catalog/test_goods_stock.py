"""What the cooperative sees of its stock beside each pack it sells."""

from __future__ import annotations

from datetime import date

import pytest

from catalog.households.operations import add_plot
from catalog.lots import operations as lots
from catalog.lots.queries.shelf import packs_for_canteens, shelf
from catalog.lots.queries.stands import stands_of
from catalog.products.models import Grade, Shelf
from kernel.actors import Role
from kernel.people import Organisation
from tests import makers
from tests.makers import TODAY
from tests.web import given, person


@pytest.fixture
def coop(db, app):
    with given(db) as session:
        of = makers.supplier(session)
        body = session.get(Organisation, of.organisation_id)
        manager = makers.member(session, body, Role.MANAGER, name="经理")
        weigher = makers.member(session, body, Role.WEIGHER, name="过磅")
        radish = makers.sold_product(session, (30_000,), of=of)
        part = makers.contribution(session, radish, net_g=8_000, best_before=TODAY + makers.days(1))
        lots.reserve(session, [(part.id, 5_000)])
    return db, app, {Role.MANAGER: manager, Role.WEIGHER: weigher}, of, radish


def test_list_and_page_say_what_shelf_and_grid_have_what_is_reserved_and_what_comes(coop):
    db, app, people, of, radish = coop
    with db.transaction() as session:
        home = makers.household(session, "菜农")
        add_plot(
            session, home.id, place="河坝", area_mu_100=100, crop=radish.code,
            year=TODAY.year, by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
        lots.announce_harvest(
            session, of.id, product_id=radish.id, grade=Grade.FIRST,
            available_from=TODAY + makers.days(9), good_until=date(2026, 12, 31),
            confidence_bp=8000, parts={home.id: 40_000}, prefixes=[makers.TOWNSHIP[:9]],
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
    with db.reading() as session:
        [row] = shelf(session, today=TODAY)
        [(_, kilo, base)] = packs_for_canteens(session, today=TODAY)
        stand = stands_of(session, [radish.id], today=TODAY)[radish.id, Grade.FIRST]
    assert (stand.parcels, stand.free, stand.reserved) == (row.free, base, 5_000)
    assert (stand.parcels, stand.free) == (30_000, 33_000)
    assert (stand.of(kilo), kilo.shelf) == (33_000, Shelf.CANTEENS)
    assert (stand.expected, stand.expected_from) == (32_000, TODAY + makers.days(9))

    for role in people:
        for path in ("/coop/products", f"/coop/products/{radish.id}"):
            page = person(app, people[role], lang="en").open(path)
            for words in ("6 packs available", "33 kg available", "5 kg reserved", "expected from"):
                assert words in page.text, (role, path, words)


def test_what_is_gone_is_called_sold_out_and_a_draft_says_nothing(coop):
    db, app, people, of, _radish = coop
    with db.transaction() as session:
        draft = makers.product(session, of, packs=[{}], name_zh="苦瓜", name_en="Bitter gourd")
        gone = makers.sold_product(session, (), of=of, name_zh="折耳根", name_en="Fish mint")
    with db.reading() as session:
        assert stands_of(session, [draft.id, gone.id], today=TODAY) == {}
    page = person(app, people[Role.MANAGER], lang="en").open("/coop/products")

    assert page.text.count("sold out") == 2  # both packs of what is on sale, none of the draft


def test_the_list_takes_the_same_number_of_queries_however_many_products(coop, statements):
    db, app, people, of, _radish = coop

    def count():
        page = person(app, people[Role.MANAGER], lang="en").open("/coop/products")
        statements.clear()
        page.open("/coop/products")
        return len(statements)

    before = count()
    with db.transaction() as session:
        for number in range(4):
            makers.sold_product(session, (9_000, 4_000), of=of, name_zh=f"菜{number}")
    assert count() == before

"""Every address and every template of the house."""

from __future__ import annotations

import pytest
from jinja2 import nodes

from shop.app import create_app
from tests.house.source import ROOT, files

FOLDER = ROOT / "templates"
TEMPLATES = [str(p.relative_to(FOLDER)) for p in files(".html") if p.is_relative_to(FOLDER)]
LAYOUTS = ("base.html", "storefront.html", "desk.html")


@pytest.fixture(scope="module")
def house(config, sqlite_template, tmp_path_factory):
    """The application, to be looked at; no test here changes anything."""
    from kernel.db import Database

    database = Database(f"sqlite:///{sqlite_template}")
    yield create_app(config, database=database, data_dir=tmp_path_factory.mktemp("house"))
    database.dispose()


def test_every_address_says_who_may_enter(house):
    for rule in house.url_map.iter_rules():
        view = house.view_functions[rule.endpoint]
        if rule.endpoint != "static":
            assert hasattr(view, "access"), f"{rule.rule}: say @public, @signed_in or @requires(…)"


def test_what_changes_something_is_never_a_get(house):
    for rule in house.url_map.iter_rules():
        assert rule.methods is not None
        if "POST" in rule.methods:
            assert "GET" not in rule.methods, f"{rule.rule}: one view to show, another to change"


def test_every_template_compiles_and_knows_its_parents(house):
    for name in TEMPLATES:
        house.jinja_env.get_template(name)
        source = house.jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))
        for each in source.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
            if isinstance(each.template, nodes.Const):
                house.jinja_env.get_template(each.template.value)


def test_every_page_has_a_title(house):
    for name in TEMPLATES:
        source = house.jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))
        parents = [
            each.template.value
            for each in source.find_all(nodes.Extends)
            if isinstance(each.template, nodes.Const)
        ]
        if parents and parents[0] in LAYOUTS and name not in LAYOUTS:
            blocks = {each.name for each in source.find_all(nodes.Block)}
            assert "title" in blocks, f"{name}: give the page a title block"

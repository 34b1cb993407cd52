"""Every address, template and sentence of the house."""

from __future__ import annotations

import pytest
from jinja2 import Environment, FileSystemLoader, meta, nodes

from tests.house.source import ROOT, files, name

TEMPLATES = [p for p in files(".html") if p.is_relative_to(ROOT / "templates")]


def test_every_address_says_who_may_enter(app):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint != "static":
            assert hasattr(view, "access"), f"{rule.rule}: say @public, @signed_in or @requires(…)"


def test_what_changes_something_is_never_a_get(app):
    for rule in app.url_map.iter_rules():
        assert rule.methods is not None
        if "POST" in rule.methods:
            assert "GET" not in rule.methods, f"{rule.rule}: one view to show, another to change"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_parse_and_know_their_parents(path, app):
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        extensions=list(app.jinja_env.extensions),
    )
    source = environment.parse(path.read_text(encoding="utf-8"))
    for parent in meta.find_referenced_templates(source):
        if parent is not None:
            environment.get_template(parent)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_page_has_a_title(path, app):
    environment = Environment(autoescape=True, extensions=list(app.jinja_env.extensions))
    source = environment.parse(path.read_text(encoding="utf-8"))
    layouts = ("base.html", "storefront.html", "desk.html", "print.html")
    parents = [
        each.template.value
        for each in source.find_all(nodes.Extends)
        if isinstance(each.template, nodes.Const)
    ]
    if not parents or path.name in layouts:
        return
    if parents[0] in layouts:
        blocks = {each.name for each in source.find_all(nodes.Block)}
        assert "title" in blocks, "give the page a title block"

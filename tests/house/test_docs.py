"""What a newcomer reads names everything there is: rooms, words, commands, variables."""

from __future__ import annotations

import re

import click
import pytest

from kernel.db import Model
from kernel.labels import Labelled
from tests.house.source import ROOMS, ROOT, files, modules, name

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_the_architecture_names_every_room():
    missing = [room for room in (*ROOMS, "kernel", "shop", "sandbox") if room not in ARCHITECTURE]
    assert not missing, "give each room its line in docs/architecture.md"


def test_operations_explain_every_command(app):
    missing = [command for command in _commands(app.cli) if f"`flask {command}`" not in OPERATIONS]
    assert not missing, f"docs/operations.md lacks {missing}"


def _commands(group: click.Group, before: str = "") -> list[str]:
    found = []
    for each, command in group.commands.items():
        if isinstance(command, click.Group):
            found += _commands(command, f"{before}{each} ")
        elif before or each not in ("run", "shell", "routes"):
            found.append(before + each)
    return found


def test_operations_explain_every_variable():
    names = set()
    for path in (*modules("kernel", "catalog", "orders", "shop"), ROOT / "config.py"):
        text = path.read_text(encoding="utf-8")
        names.update(
            re.findall(r"""(?:env\.get\(|environ(?:\.get\(|\[)|_secret\(env, )"(\w+)\"""", text)
        )
        names.update(re.findall(r"""\"(\w+)" (?:not )?in os\.environ""", text))
    names -= {"PATH"}
    missing = [each for each in sorted(names) if f"`{each}`" not in OPERATIONS]
    assert len(names) > 10
    assert not missing, f"docs/operations.md lacks {missing}"


def test_the_glossary_names_every_table(app):
    missing = [
        mapper.class_.__name__
        for mapper in Model.registry.mappers
        if not re.search(rf"`{mapper.class_.__name__}\b", GLOSSARY)
    ]
    assert not missing, f"docs/glossary.md lacks {missing}"


def test_a_word_of_the_glossary_means_one_thing():
    words = [line.split("|")[1].strip() for line in GLOSSARY.splitlines() if line.startswith("| ")]
    twice = {word for word in words if words.count(word) > 1} - {"中文"}
    assert not twice, f"one row for one word: {sorted(twice)}"


def test_the_glossary_names_every_kind_of_label(app):
    missing = [
        kind.__name__
        for kind in _below(Labelled)
        if not kind.__module__.startswith("tests") and f"`{kind.__name__}`" not in GLOSSARY
    ]
    assert not missing, f"docs/glossary.md lacks {missing}"


def _below(kind: type) -> list[type]:
    return [each for child in kind.__subclasses__() for each in (child, *_below(child))]


LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)\)")


@pytest.mark.parametrize("path", files(".md"), ids=name)
def test_links_between_documents_lead_somewhere(path):
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target and not target.endswith(".png"):
            assert (path.parent / target).exists(), f"{name(path)}: {target}"

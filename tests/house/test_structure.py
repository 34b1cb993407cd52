"""The rooms, their floors, and the rules no linter knows. Each failure says what to do instead."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.house.source import ROOMS, ROOT, files, modules, name, tree

MEANINGLESS = {"utils", "helpers", "common", "misc", "services", "managers"}


def test_rooms_import_only_downwards_and_have_no_other_floors():
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert lint.returncode == 0, lint.stdout[-4000:]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_in_one_sentence_what_it_is_for(room):
    sentence = ast.get_docstring(tree(ROOT / room / "__init__.py"))
    assert sentence, f"say in {room}/__init__.py what the room is for"
    assert len(sentence.splitlines()) == 1


def test_only_the_database_module_commits():
    for path in modules():
        if name(path) in ("kernel/db.py", "shop/schema.py"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("commit", "begin_nested"), (
                    f"{name(path)}:{node.lineno}: use `with transaction()`"
                )


def test_no_module_has_a_name_that_means_nothing():
    for path in modules():
        if name(path) != "kernel/services.py":  # the one type of that name, in the ground floor
            assert path.stem not in MEANINGLESS, f"{name(path)}: name it after its subject"


def test_operations_take_the_session_first_and_say_who_and_when():
    for room in ROOMS:
        for path in modules(f"{room}/operations"):
            for node in tree(path).body:
                if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                    continue
                arguments = node.args
                first = arguments.args[0].arg if arguments.args else ""
                if first != "session":
                    continue  # a pure plan beside its operation
                keywords = {each.arg for each in arguments.kwonlyargs}
                positional = {each.arg for each in arguments.args}
                if "now" not in keywords | positional:
                    continue  # a look-up for operations: it writes nothing
                assert not {"by", "now"} & positional, (
                    f"{name(path)}:{node.lineno}: {node.name} takes `by` and `now` by keyword"
                )
                if "by" in keywords:
                    assert "now" in keywords, f"{name(path)}: {node.name} also needs `now`"


def test_operations_queries_and_rules_ask_no_clock_and_no_environment():
    forbidden = re.compile(r"datetime\.now\(|date\.today\(|os\.environ|time\.time\(")
    for room in ROOMS:
        for floor in ("operations", "queries", "rules", "models", "checks"):
            for path in modules(f"{room}/{floor}"):
                found = forbidden.search(path.read_text(encoding="utf-8"))
                assert not found, f"{name(path)}: take `now` as an argument, not {found}"


def test_long_files_and_functions_are_listed():
    """A warning, not a wall: what grows past a screen wants to be split by subject."""
    long = [
        f"{name(path)} ({lines} lines)"
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    ]
    long += [
        f"{name(path)}:{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    if long:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn("long: " + "; ".join(long), stacklevel=1)


def test_nothing_is_left_open_and_no_machine_is_named():
    marks = re.compile("TO" + "DO|FIX" + "ME|XX" + "X\\b|Not" + "ImplementedError")
    paths = re.compile("/(?:ro" + "ot|wo" + "rk|ho" + "me)/[a-z]")
    hosts = re.compile(
        "py" + r"pi\.org|python" + r"hosted|npm" + r"js\.(?:org|com)|registry" + r"\.npm"
    )
    for path in files(".py", ".html", ".js", ".css", ".md", ".toml", ".po", ".txt", ".json", ".in"):
        if "regions.csv" in path.name or path.name.startswith("requirements"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not marks.search(text), f"{name(path)}: finish it or file an issue"
        assert not paths.search(text), f"{name(path)}: names a path of one machine"
        assert not hosts.search(text), f"{name(path)}: names a registry host"


def test_lock_files_name_no_registry_host():
    for lock in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        assert "http" not in re.sub(r'"(?:url|funding)": ?"[^"]*"', "", (ROOT / lock).read_text())


def test_no_third_party_file_is_committed():
    built = [p for p in files(".woff2", ".woff", ".ttf", ".otf") if "node_modules" not in p.parts]
    built += [p for p in files(".js", ".css") if ".min." in p.name or "vendor" in p.parts]
    assert not built, "install it from its registry instead"

"""The commands outsiders rely on (contract.md)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel.audit import AuditEntry
from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text
from kernel.once import OnceToken
from kernel.outbox import Job, JobState
from kernel.people import Membership, Organisation, User
from shop import selfcheck
from shop.housekeeping import tidy_up
from tests import makers
from tests.conftest import ROOT
from tests.web import given


@pytest.fixture
def flask(app):
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=list(arguments))


def test_upgrading_again_changes_nothing(flask):
    assert flask("db", "upgrade").exit_code == 0
    assert flask("db", "upgrade").exit_code == 0


def test_the_first_operator_gets_a_link_and_signs_in(flask, person, db):
    result = flask("user", "create", "Op@Example.CN", "田平台", "operator")
    [address] = result.stdout.split()

    visitor = person().open(address.removeprefix("http://127.0.0.1:8000"))
    words = {"New password": "twelve oxen plough", "The same again": "twelve oxen plough"}
    visitor.press("Keep this password", **words)
    visitor.press("Sign in", **{"E-mail": "op@example.cn", "Password": "twelve oxen plough"})

    assert visitor.path == "/admin/"
    visitor.sees("田平台", "Operator")


def test_the_same_command_again_makes_nobody(flask, db):
    flask("user", "create", "op@example.cn", "田平台", "operator")
    again = flask("user", "create", "op@example.cn", "田平台", "operator")

    assert again.exit_code == 1
    assert "There is already an account for op@example.cn." in again.output
    with db.reading() as session:
        counts = [
            session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (User, Membership, Organisation)
        ]
    assert counts == [1, 1, 1]


def test_a_role_needs_its_organisation(flask, db):
    with given(db) as session:
        makers.organisation(session, "水市镇中心学校", uscc="12500114450123454G")

    nowhere = flask("user", "create", "a@example.cn", "张三", "buyer")
    unknown = flask("user", "create", "a@example.cn", "张三", "buyer", "--organisation", "x")
    right = flask(
        "user", "create", "a@example.cn", "张三", "buyer", "--organisation", "12500114450123454g"
    )

    assert "--organisation" in nowhere.output
    assert "There is no organisation x." in unknown.output
    assert (nowhere.exit_code, unknown.exit_code, right.exit_code) == (1, 1, 0)


def test_the_trail_is_verified(flask, db):
    with given(db) as session:
        made = makers.organisation(session)

    honest, head = flask("audit", "verify"), flask("audit", "head")
    with db.engine.begin() as connection:
        connection.execute(sa.update(Organisation).values(name="别名"))
    dishonest = flask("audit", "verify")

    assert honest.exit_code == 0
    with db.reading() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
    assert head.stdout == f"1 {entry.hash}\n"
    assert dishonest.exit_code == 1
    assert f"organisations {made.id} was changed behind the trail." in dishonest.output


def test_the_self_check_finds_nothing_in_an_honest_house(flask):
    result = flask("selfcheck", "--json")

    assert result.exit_code == 0, result.output
    checks = json.loads(result.stdout)["checks"]
    assert len(checks) >= 3
    for each in checks:
        assert sorted(each) == ["differences", "examples", "name", "rows"]
        assert (each["differences"], each["examples"]) == (0, [])


def test_the_self_check_counts_everything_and_shows_some(flask, monkeypatch, db):
    with given(db) as session:
        for n in range(12):
            makers.organisation(session, f"第{n}社")
    wrong = Check(
        "test.wrong",
        Text("Nothing is right"),
        lambda session: (
            Difference(f"organisation:{key}", Text("%(n)s is wrong.", n=key))
            for key in session.scalars(sa.select(Organisation.id).order_by(Organisation.id))
        ),
        rows_of(Organisation),
    )
    monkeypatch.setattr(selfcheck, "CHECKS", [wrong])

    result, plain = flask("selfcheck", "--json"), flask("selfcheck")

    assert (result.exit_code, plain.exit_code) == (1, 1)
    [check] = json.loads(result.stdout)["checks"]
    assert (check["rows"], check["differences"], len(check["examples"])) == (12, 12, 10)
    assert "organisation:" in check["examples"][0]
    assert "NO  test.wrong" in plain.stdout


def test_the_night_forgets_what_nobody_needs(db, clock):
    old = clock() - timedelta(days=91)
    with db.transaction() as session:
        session.add_all(
            [
                Job(name="a", arguments={}, state=JobState.DONE, run_at=old, finished_at=old),
                Job(name="b", arguments={}, state=JobState.DONE, run_at=old, finished_at=old,
                    unique_key="mail:1"),
                Job(name="c", arguments={}, state=JobState.DEAD, run_at=old),
                Job(name="d", arguments={}, state=JobState.DONE, run_at=old, finished_at=clock()),
                OnceToken(token="x" * 24, endpoint="x", used_at=old),
                OnceToken(token="y" * 24, endpoint="x", used_at=clock()),
            ]
        )  # fmt: skip
        session.flush()
        tidy_up(session, now=clock())

    with db.reading() as session:
        assert session.scalars(sa.select(Job.name).order_by(Job.name)).all() == ["b", "c", "d"]
        assert session.scalars(sa.select(OnceToken.token)).all() == ["y" * 24]


def test_a_worker_told_to_end_ends(tmp_path, sqlite_template):
    import shutil

    shutil.copyfile(sqlite_template, tmp_path / "sutian.db")
    worker = subprocess.Popen(
        [sys.executable, "-m", "flask", "worker"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        assert "worker begins" in worker.stderr.readline()
        time.sleep(0.3)
        worker.send_signal(signal.SIGTERM)
        _out, rest = worker.communicate(timeout=20)
    finally:
        worker.kill()
        worker.wait()

    assert worker.returncode == 0
    assert "worker ends" in rest

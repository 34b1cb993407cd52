"""The audit trail: complete, in one chain, and every kind of tampering is found by name."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from kernel import audit
from kernel.actors import COMMAND, Actor, Door
from kernel.audit import AuditEntry, AuditHead
from kernel.people import Organisation
from tests import makers

BY = Actor(door=Door.WEB, user_id=None)


@pytest.fixture
def three(db):
    """Three organisations, written and changed in four transactions."""
    for n in range(3):
        with db.transaction() as session:
            made = makers.organisation(session, f"第{n}合作社")
            audit.note(session, "make", f"organisation:{made.id}", by=COMMAND, now=makers.NOON)
    with db.transaction() as session:
        first = session.scalars(sa.select(Organisation).order_by(Organisation.id)).first()
        first.short_name = "改名"
        audit.note(session, "rename", f"organisation:{first.id}", by=COMMAND, now=makers.NOON)
    return db


def found(db) -> list[str]:
    with db.snapshot() as session:
        return [str(each) for each in audit.verify(session)]


def behind_the_back(db, *statements):
    """As somebody with the database's own rights would: triggers taken away first."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        else:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_entries_no_{verb}")
        for each in statements:
            connection.exec_driver_sql(each)


def test_an_honest_chain_has_nothing_to_say(three):
    assert found(three) == []
    with three.reading() as session:
        count, head = audit.head(session)
    assert count == 4
    assert len(head) == 64


def test_an_empty_house_is_honest_too(db):
    assert found(db) == []
    with db.reading() as session:
        assert audit.head(session) == (0, audit.GENESIS)


def test_a_change_without_a_word_is_refused(db):
    with pytest.raises(AssertionError, match=r"audit\.note"), db.transaction() as session:
        makers.organisation(session)

    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 0


def test_what_is_rolled_back_leaves_no_entry(db):
    with pytest.raises(InterruptedError), db.transaction() as session:
        made = makers.organisation(session)
        audit.note(session, "make", f"organisation:{made.id}", by=COMMAND, now=makers.NOON)
        raise InterruptedError

    with db.transaction() as session:
        audit.note(session, "nothing", "house", by=COMMAND, now=makers.NOON)
    with db.reading() as session:
        [entry] = session.scalars(sa.select(AuditEntry))
        assert (entry.number, entry.action, entry.rows) == (1, "nothing", "{}")
    assert found(db) == []


def test_what_a_savepoint_rolled_back_is_not_in_the_trail(db):
    with db.transaction() as session:
        audit.note(session, "make", "organisation", by=COMMAND, now=makers.NOON)
        makers.organisation(session, "留下")
        with pytest.raises(InterruptedError), session.begin_nested():
            makers.organisation(session, "不留")
            raise InterruptedError

    assert found(db) == []


def test_a_deleted_row_is_in_the_trail(db):
    with db.transaction() as session:
        made = makers.organisation(session)
        audit.note(session, "make", f"organisation:{made.id}", by=COMMAND, now=makers.NOON)
    with db.transaction() as session:
        session.delete(session.get(Organisation, made.id))
        audit.note(session, "delete", f"organisation:{made.id}", by=COMMAND, now=makers.NOON)

    assert found(db) == []


def test_the_entry_knows_who_through_which_door(db):
    who = Actor(door=Door.API, user_id=7, organisation_id=9)
    with db.transaction() as session:
        audit.note(session, "look", "thing:1", by=who, now=makers.NOON, count=3)

    with db.reading() as session:
        [entry] = session.scalars(sa.select(AuditEntry))
    assert (entry.user_id, entry.organisation_id, entry.door) == (7, 9, "api")
    assert '"count":3' in entry.notes


@pytest.mark.parametrize(
    ("tampering", "sentence"),
    [
        ("UPDATE audit_entries SET subject = 'organisation:9' WHERE number = 2",
         "Audit entry 2 was changed."),
        ("UPDATE audit_entries SET notes = '{}' WHERE number = 1", "Audit entry 1 was changed."),
        ("UPDATE audit_entries SET at = '2026-11-22 00:00:00' WHERE number = 1",
         "Audit entry 1 was changed."),
        ("UPDATE audit_entries SET user_id = 5 WHERE number = 3", "Audit entry 3 was changed."),
        ("DELETE FROM audit_entries WHERE number = 2", "Audit entry 2 is missing."),
        ("DELETE FROM audit_entries WHERE number = 4",
         "The chain ends at entry 3, but its head says otherwise."),
        ("UPDATE organisations SET name = '他人' WHERE id = 2",
         "organisations 2 was changed behind the trail."),
        ("DELETE FROM organisations WHERE id = 3",
         "organisations 3 was deleted behind the trail."),
        ("INSERT INTO organisations (id, name, short_name, kind, region_code, sensitive, made_at,"
         " door, program) SELECT 99, 'x', 'x', kind, region_code, sensitive, made_at, door, program"
         " FROM organisations WHERE id = 1", "organisations 99 was written behind the trail."),
    ],
)  # fmt: skip
def test_tampering_is_found_and_named(three, tampering, sentence):
    behind_the_back(three, tampering)

    assert sentence in found(three)


def test_a_cut_tail_shows_in_the_head(three):
    with three.reading() as session:
        before = audit.head(session)
        last = session.scalar(sa.select(AuditEntry.hash).where(AuditEntry.number == 3))
    behind_the_back(
        three,
        "DELETE FROM audit_entries WHERE number = 4",
        f"UPDATE audit_heads SET count = 3, hash = '{last}'",
    )

    with three.reading() as session:
        assert audit.head(session) != before


@pytest.mark.parametrize(
    "verb", ["UPDATE audit_entries SET door = 'x'", "DELETE FROM audit_entries"]
)
def test_the_database_refuses_to_change_the_past(three, verb):
    with pytest.raises(sa.exc.DBAPIError, match="written once"), three.engine.begin() as connection:
        connection.exec_driver_sql(verb)


@pytest.mark.race
def test_many_writers_make_one_chain(db):
    failures = []

    def write(writer):
        try:
            for turn in range(6):
                with db.transaction() as session:
                    audit.note(session, "write", f"{writer}:{turn}", by=BY, now=makers.NOON)
                    makers.organisation(session, f"{writer}-{turn}")
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    with db.transaction() as session:
        session.add(AuditHead(id=1, count=0, hash=audit.GENESIS))
    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failures == []
    assert found(db) == []
    with db.reading() as session:
        assert audit.head(session)[0] == 36


@pytest.mark.race
def test_the_very_first_writers_may_come_together(db):
    failures = []
    gate = threading.Barrier(4)

    def write(writer):
        try:
            gate.wait()
            with db.transaction() as session:
                audit.note(session, "write", f"{writer}", by=BY, now=makers.NOON)
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failures == []
    assert found(db) == []

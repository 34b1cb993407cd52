"""Document numbers have no gaps, whoever rolls back and however many write at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from kernel.numbering import DocumentSequence, next_number

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_numbers_count_up_per_kind_and_business_year(db):
    with db.transaction() as session:
        numbers = [next_number(session, "SD", NOW) for _each in range(2)]
        other = next_number(session, "YS", NOW)
        next_year = next_number(session, "SD", datetime(2026, 12, 31, 16, 0, tzinfo=UTC))

    assert numbers == ["SD26-000001", "SD26-000002"]
    assert other == "YS26-000001"
    assert next_year == "SD27-000001"


def test_who_rolls_back_gives_the_number_back(db):
    with pytest.raises(RuntimeError), db.transaction() as session:
        assert next_number(session, "SD", NOW) == "SD26-000001"
        raise RuntimeError

    with db.transaction() as session:
        assert next_number(session, "SD", NOW) == "SD26-000001"


@pytest.mark.race
def test_many_writers_leave_no_gap(db):
    taken, lock = [], threading.Lock()

    def write(writer):
        for turn in range(12):
            try:
                with db.transaction() as session:
                    number = next_number(session, "SD", NOW)
                    if (writer + turn) % 4 == 0:
                        raise InterruptedError
            except InterruptedError:
                continue
            with lock:
                taken.append(number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(taken) == [f"SD26-{n:06}" for n in range(1, 73)]
    with db.reading() as session:
        assert session.scalar(sa.select(DocumentSequence.last)) == 72

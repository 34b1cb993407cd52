"""Work for later: exists exactly if its cause does, happens exactly once, is never lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel import audit, outbox
from kernel.actors import COMMAND
from kernel.errors import Refusal
from kernel.outbox import HANDLERS, LEASE, Handler, Job, JobState, enqueue, run_one
from kernel.people import Organisation
from shop.working import Worker, beat, enqueue_due, last_tick
from tests import makers


@pytest.fixture
def services(app):
    return app.extensions["services"]


@pytest.fixture
def tried(monkeypatch):
    """Handlers of this test only; returns what they were called with."""
    calls = []

    def work(session, *, now, name="x"):
        calls.append(name)
        audit.note(session, "work", name, by=COMMAND, now=now)
        makers.organisation(session, f"{name}-{len(calls)}")

    def fail(session, *, now):
        calls.append("fail")
        audit.note(session, "work", "fail", by=COMMAND, now=now)
        makers.organisation(session, "never")
        raise InterruptedError("out of order")

    def outside(_services, *, now, words):
        calls.append(words)

    monkeypatch.setitem(HANDLERS, "work", Handler(work, outside=False))
    monkeypatch.setitem(HANDLERS, "fail", Handler(fail, outside=False))
    monkeypatch.setitem(HANDLERS, "outside", Handler(outside, outside=True))
    return calls


def put(db, name, clock, /, **how):
    with db.transaction() as session:
        enqueue(session, name, now=clock(), **how)


def job(db) -> Job:
    with db.reading() as session:
        return session.scalars(sa.select(Job)).one()


def organisations(db) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Organisation))


def test_what_is_rolled_back_leaves_no_job(db, clock):
    with pytest.raises(InterruptedError), db.transaction() as session:
        enqueue(session, "work", now=clock())
        raise InterruptedError

    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 0


def test_a_task_is_done_once_with_its_effect(services, db, clock, tried):
    put(db, "work", clock, name="once")

    done = [run_one(services, "w1", clock()) for _each in range(3)]

    assert done == [True, False, False]
    assert tried == ["once"]
    assert (job(db).state, organisations(db)) == (JobState.DONE, 1)


def test_a_repeated_key_adds_nothing(db, clock):
    put(db, "work", clock, unique_key="a")
    put(db, "work", clock, unique_key="a")

    assert job(db).unique_key == "a"


def test_nothing_is_done_before_its_time(services, db, clock, tried):
    put(db, "work", clock, run_at=clock() + timedelta(minutes=15))

    early = run_one(services, "w1", clock())
    clock.move(minutes=15)

    assert not early
    assert run_one(services, "w1", clock())


def test_who_dies_after_claiming_is_followed_by_another(services, db, clock, tried):
    put(db, "work", clock)
    assert outbox._claim(db, "dead", clock()) is not None

    too_early = run_one(services, "w2", clock())
    clock.move(seconds=LEASE.total_seconds() + 1)
    later = run_one(services, "w2", clock())

    assert (too_early, later) == (False, True)
    assert (job(db).state, job(db).attempts, organisations(db)) == (JobState.DONE, 2, 1)


def test_a_slow_worker_whose_lease_ran_out_does_nothing_twice(services, db, clock, tried):
    put(db, "work", clock)
    slow = outbox._claim(db, "slow", clock())
    clock.move(seconds=LEASE.total_seconds() + 1)
    run_one(services, "quick", clock())

    with pytest.raises(RuntimeError, match="lease"), db.transaction() as session:
        HANDLERS["work"].run(session, now=clock())
        outbox._finish(session, slow.id, "slow", clock(), forget=False)

    assert organisations(db) == 1


def test_a_failure_takes_its_writes_back_and_waits_longer_each_time(services, db, clock, tried):
    put(db, "fail", clock)

    run_one(services, "w1", clock())
    first = job(db)
    assert not run_one(services, "w1", clock())
    clock.move(seconds=2)
    run_one(services, "w1", clock())

    assert (first.state, first.run_at) == (
        JobState.READY,
        clock(),
    )
    assert "out of order" in first.error
    assert job(db).run_at == clock() + timedelta(seconds=4)
    assert organisations(db) == 0


def test_poison_is_given_up_and_can_be_tried_again(services, db, clock, tried):
    put(db, "fail", clock)
    for _each in range(8):
        assert run_one(services, "w1", clock())
        clock.move(hours=2)

    assert not run_one(services, "w1", clock())
    assert (job(db).state, job(db).attempts) == (JobState.DEAD, 8)

    with db.transaction() as session:
        outbox.retry_job(session, job(db).id, by=COMMAND, now=clock())
    assert (job(db).state, job(db).attempts) == (JobState.READY, 0)
    with pytest.raises(Refusal), db.transaction() as session:
        outbox.retry_job(session, job(db).id, by=COMMAND, now=clock())


def test_a_job_nobody_knows_is_kept_not_lost(services, db, clock):
    put(db, "unheard_of", clock)

    run_one(services, "w1", clock())

    assert job(db).state is JobState.READY
    assert "no handler" in job(db).error


def test_what_has_left_the_house_is_forgotten(services, db, clock, tried):
    put(db, "outside", clock, words="a one-time link")

    run_one(services, "w1", clock())

    assert tried == ["a one-time link"]
    assert (job(db).state, job(db).arguments) == (JobState.DONE, {})


@pytest.mark.race
def test_many_workers_do_every_job_once(services, db, clock, tried):
    with db.transaction() as session:
        for n in range(24):
            enqueue(session, "work", now=clock(), name=f"job {n}")

    def work(n):
        while run_one(services, f"w{n}", clock()):
            pass

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with db.reading() as session:
        states = session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state)).all()
    assert [tuple(each) for each in states] == [(JobState.DONE, 24)]
    assert organisations(db) == 24


def test_a_schedule_is_read_in_shanghai(clock):
    # 10:00 in Shanghai
    assert last_tick("30 9 * * *", clock()).isoformat() == "2026-11-23T09:30:00+08:00"
    assert last_tick("30 10 * * *", clock()).isoformat() == "2026-11-22T10:30:00+08:00"
    assert last_tick("0 0 1 1 *", clock()) is None


def test_a_schedule_is_due_once_however_many_workers_look(services, db, clock, monkeypatch):
    monkeypatch.setattr("shop.working.SCHEDULES", {"work": "*/30 * * * *"})

    for _each in range(3):
        enqueue_due(services, clock())
    clock.move(minutes=30)
    enqueue_due(services, clock())

    with db.reading() as session:
        keys = session.scalars(sa.select(Job.unique_key).order_by(Job.id)).all()
    assert keys == ["cron:work:2026-11-23T10:00", "cron:work:2026-11-23T10:30"]


def test_the_worker_does_all_that_is_due_and_ends_when_told(
    services, db, clock, tried, monkeypatch
):
    monkeypatch.setattr("shop.working.SCHEDULES", {})
    put(db, "work", clock)
    worker, stop = Worker(services), threading.Event()

    thread = threading.Thread(target=worker.run_until, args=(stop,), daemon=True)
    thread.start()
    for _each in range(100):
        if job(db).state is JobState.DONE:
            break
        stop.wait(0.05)
    stop.set()
    thread.join(timeout=5)

    assert not thread.is_alive()
    assert job(db).state is JobState.DONE
    with db.reading() as session:
        [seen] = outbox.workers_seen(session)
    assert (seen.worker, seen.at) == (worker.name, clock())


def test_workers_of_yesterday_are_forgotten(db, clock):
    with db.transaction() as session:
        beat(session, "old", clock() - timedelta(days=2))
    with db.transaction() as session:
        beat(session, "new", clock())
        beat(session, "new", clock())

    with db.reading() as session:
        assert [each.worker for each in outbox.workers_seen(session)] == ["new"]

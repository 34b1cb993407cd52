"""The work on a file, in the request or by the worker: look at it, carry it out, say how far."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.rules import viewer_of
from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import catchment
from kernel.actors import COMMAND, Actor, Role
from kernel.crypto import seal_bytes, unseal_bytes
from kernel.db import get_or_missing
from kernel.outbox import enqueue, errand
from kernel.people import Organisation
from kernel.regions import prefixes
from kernel.services import Services
from kernel.storage import Blob, Storage
from shop.excel.columns import Desk, Kind
from shop.excel.kinds import KINDS
from shop.excel.models import ImportRun, ImportState
from shop.excel.operations import carry_out, keep_preview, through_import
from shop.excel.reading import Table, read_table
from shop.excel.report import Report, report_of
from shop.excel.running import Tell, run_rows

# More rows than this are work for the worker: the page shows how far it is and can be left.
AT_ONCE = 300


def put_sealed(storage: Storage, content: bytes, *, name: str) -> Blob:
    """The upload in the store, unreadable without the field key."""
    return storage.put(seal_bytes(content), media_type="application/octet-stream", name=name)


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_of(services: Services, run: ImportRun) -> bytes:
    """The file as it was uploaded; `run.file` is loaded."""
    return unseal_bytes(services.storage.get(run.file.sha256))


def desk_for(session: Session, by: Actor) -> Desk:
    """The rows that this person's organisation may bring in and take out."""
    by = through_import(by)
    if by.organisation_id is None:
        return Desk(by=by, taker=by)
    supplier = session.scalar(
        sa.select(Supplier)
        .options(joinedload(Supplier.organisation))
        .where(Supplier.organisation_id == by.organisation_id)
    )
    if supplier is not None:
        inside = catchment(session, supplier)
    elif by.role is Role.OPERATOR:
        inside = []
    else:
        inside = prefixes(
            session, get_or_missing(session, Organisation, by.organisation_id).region_code
        )
    return Desk(
        by=by, viewer=viewer_of(by.role), supplier=supplier, prefixes=tuple(inside),
        taker=replace(by, user_id=None),
    )  # fmt: skip


def desk_of_run(kind: Kind) -> Callable[[Session, ImportRun], Desk]:
    """Whoever said yes acts; goods were written down by whoever brought the file."""

    def found(session: Session, run: ImportRun) -> Desk:
        brought = _person(run, run.made_by_id)
        agreed = _person(run, run.confirmed_by_id)
        desk = desk_for(session, brought if kind.events else agreed)
        return replace(desk, taker=through_import(agreed))

    return found


def _person(run: ImportRun, user_id: int | None) -> Actor:
    if user_id is None and run.organisation_id is None:
        return COMMAND
    return Actor(door=run.door, user_id=user_id, role=run.role, organisation_id=run.organisation_id)


def rehearse(
    services: Services, kind: Kind, by: Actor, table: Table, *, now: datetime, tell: Tell
) -> Report:
    """What would happen, found out by doing it and keeping nothing."""
    with services.database.rehearsal() as session:
        desk = desk_for(session, by)
        return report_of(
            kind, desk, table, run_rows(session, kind, desk, table, now=now, tell=tell)
        )


def preview(services: Services, run_id: int, *, now: datetime) -> None:
    """Look at every row of a file that came in."""
    run, kind, table = _opened(services, run_id)
    if run.state is not ImportState.READING:
        return
    by = _person(run, run.made_by_id)
    report = rehearse(services, kind, by, table, now=now, tell=_teller(services, run))
    with services.database.transaction() as session:
        keep_preview(session, run_id, report, by=by, now=now)
    services.storage.forget_note(_note(run))


def carry_out_run(services: Services, run_id: int, *, now: datetime) -> None:
    """Do what was agreed to."""
    run, kind, table = _opened(services, run_id)
    with services.database.transaction() as session:
        carry_out(
            session, run_id, kind, table, desk_of_run(kind), tell=_teller(services, run), now=now
        )
    services.storage.forget_note(_note(run))


def _opened(services: Services, run_id: int) -> tuple[ImportRun, Kind, Table]:
    with services.database.reading() as session:
        run = session.scalars(
            sa.select(ImportRun).options(joinedload(ImportRun.file)).where(ImportRun.id == run_id)
        ).one()
        kind = KINDS[run.kind]
        desk = desk_for(session, _person(run, run.made_by_id))
    return run, kind, read_table(kind, desk, file_of(services, run))


def _note(run: ImportRun) -> str:
    return f"import-{run.code}"


def _teller(services: Services, run: ImportRun) -> Tell:
    """How far it is, told beside the database: the transaction itself cannot be seen from outside
    before it is over."""

    def tell(done: int, of: int) -> None:
        services.storage.keep_note(_note(run), f"{done}/{of}".encode())

    return tell


def how_far(storage: Storage, run: ImportRun) -> tuple[int, int]:
    """(rows done, rows in all)"""
    done, slash, of = storage.note(_note(run)).decode().partition("/")
    return (int(done), int(of)) if slash else (0, run.rows)


@errand("preview_import")
def preview_import(services: Services, *, now: datetime, run_id: int) -> None:
    preview(services, run_id, now=now)


@errand("carry_out_import")
def carry_out_import(services: Services, *, now: datetime, run_id: int) -> None:
    carry_out_run(services, run_id, now=now)


def hand_over(session: Session, run: ImportRun, name: str, *, now: datetime) -> None:
    """The worker does it, once for each yes."""
    key = (
        f"{name}:{run.id}:{run.confirmed_at.isoformat()}"
        if run.confirmed_at
        else f"{name}:{run.id}"
    )
    enqueue(session, name, now=now, unique_key=key, run_id=run.id)

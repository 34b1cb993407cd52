"""Excel at a desk: empty forms, tables in with a preview, tables out. The same pages at every desk
that has tables; what differs stands in `access`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel.actors import COOPERATIVE, Role
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.speech import moment
from kernel.storage import keep_file
from kernel.web.access import acting, actor, organisation_id, requires
from kernel.web.i18n import chosen_language, say
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction
from shop.excel import access, doing, exporting, operations, queries
from shop.excel.columns import Outcome
from shop.excel.models import ImportState, OnError
from shop.excel.reading import read_table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PER_PAGE = 100


class Tables:
    """The views of one desk; `roles` may enter, `access` says which tables."""

    def __init__(self, name: str, roles: tuple[Role, ...]) -> None:
        self.name = name
        self.bp = Blueprint(f"{name}_excel", __name__, url_prefix=f"/{name}/excel")
        for rule, view, method in (
            ("", self.show_tables, "GET"),
            ("/<key>", self.show_table, "GET"),
            ("/<key>", self.bring, "POST"),
            ("/<key>/form.xlsx", self.empty_form, "GET"),
            ("/<key>/table.<ending>", self.take, "GET"),
            ("/files/<code>", self.show_file, "GET"),
            ("/files/<code>/agree", self.agree, "POST"),
            ("/files/<code>/discard", self.discard, "POST"),
            ("/files/<code>/rejected.xlsx", self.rejected, "GET"),
            ("/files/<code>/original", self.original, "GET"),
        ):
            guarded: Any = requires(*roles)(
                _named(once(_plain(view)) if method == "POST" else _plain(view), view.__name__)
            )
            self.bp.add_url_rule(
                rule, view.__name__, guarded, methods=[method], provide_automatic_options=False
            )

    def at(self, view: str, **values: object) -> str:
        return url_for(f"{self.name}_excel.{view}", **values)  # type: ignore[arg-type]

    def show_tables(self) -> str:
        found = access.doors(self.name, actor().role)
        return render_template(
            "excel/tables.html",
            tables=self,
            doors=found,
            outcomes=Outcome,
            runs=queries.runs_of(session(), organisation_id(), [each.kind.key for each in found]),
            role=actor().role,
        )

    def show_table(self, key: str) -> str:
        return self._table(key, {})

    def _table(self, key: str, errors: dict[str, Text]) -> str:
        door = access.door(self.name, key)
        _only((*door.brings, *door.agrees, *door.takes))
        where = doing.desk_for(session(), actor())
        return render_template(
            "excel/table.html",
            tables=self,
            door=door,
            columns=exporting.columns_in(door.kind, where),
            left_out=[
                each
                for each in door.kind.columns
                if each not in exporting.columns_out(door.kind, where.viewer)
            ],
            outcomes=Outcome,
            runs=queries.runs_of(session(), organisation_id(), [key]),
            role=actor().role,
            errors=errors,
        )

    def bring(self, key: str) -> Response | tuple[str, int]:
        """A file is kept and looked at; nothing changes yet."""
        door = access.door(self.name, key)
        _only(door.brings)
        upload = request.files.get("file")
        content = upload.read() if upload is not None else b""
        name = str(upload.filename) if upload is not None else ""
        try:
            if not name:
                raise Invalid({"file": Text("Choose a file.")})  # noqa: TRY301
            table = read_table(door.kind, doing.desk_for(session(), actor()), content)
        except Invalid as invalid:
            return self._table(key, invalid.errors), 422
        blob = doing.put_sealed(services().storage, content, name=name)
        with transaction() as work:
            run = operations.begin_import(
                work,
                door.kind,
                file=keep_file(work, blob, by=actor(), now=now()),
                sha256=doing.fingerprint(content),
                rows=len(table.rows),
                by=actor(),
                now=now(),
            )
            code, run_id, small = run.code, run.id, run.rows <= doing.AT_ONCE
            if not small:
                doing.hand_over(work, run, "preview_import", now=now())
        if small:
            doing.preview(services(), run_id, now=now())
        return redirect(self.at("show_file", code=code), code=303)  # type: ignore[return-value]

    def show_file(self, code: str) -> str | tuple[str, int]:
        return self._file(code)

    def _file(self, code: str, refusal: Refusal | None = None) -> str:
        run = queries.run_of(session(), organisation_id(), code)
        door = access.door(self.name, run.kind)
        _only((*door.brings, *door.agrees))
        report = queries.report_in(run)
        wanted = request.args.get("show", "")
        shown = [
            each
            for each in (report.rows if report else ())
            if each.outcome.value == wanted or (not wanted and each.outcome is not _DULL)
        ]
        page = _page_number()
        return render_template(
            "excel/file.html",
            tables=self,
            door=door,
            run=run,
            report=report,
            rows=shown[(page - 1) * PER_PAGE : page * PER_PAGE],
            more=len(shown) > page * PER_PAGE,
            page=page,
            wanted=wanted,
            outcomes=Outcome,
            states=ImportState,
            sentence=operations.explain(run),
            how_far=doing.how_far(services().storage, run),
            may_agree=actor().role in door.agrees,
            same_person=door.kind.events and run.made_by_id == actor().user_id,
            refusal=refusal,
        )

    def agree(self, code: str) -> Response | tuple[str, int]:
        """Yes: it is carried out as it was shown."""
        run = queries.run_of(session(), organisation_id(), code)
        door = access.door(self.name, run.kind)
        _only(door.agrees)
        rows = "rows" in request.form
        try:
            with transaction() as work:
                agreed = operations.confirm_import(
                    work,
                    run.id,
                    on_error=OnError.REJECT_ROWS if rows else OnError.REJECT_ALL,
                    two_people=door.kind.events,
                    by=actor(),
                    now=now(),
                )
                small = agreed.rows <= doing.AT_ONCE
                if not small:
                    doing.hand_over(work, agreed, "carry_out_import", now=now())
        except Refusal as refusal:
            return self._file(code, refusal), refusal.status
        if small:
            doing.carry_out_run(services(), run.id, now=now())
        return redirect(self.at("show_file", code=code), code=303)  # type: ignore[return-value]

    def discard(self, code: str) -> Response:
        run = queries.run_of(session(), organisation_id(), code)
        _only(access.door(self.name, run.kind).brings)
        with transaction() as work:
            operations.discard_import(work, run.id, by=actor(), now=now())
        flash(_("Nothing was changed."), "calm")
        return redirect(self.at("show_table", key=run.kind), code=303)  # type: ignore[return-value]

    def rejected(self, code: str) -> Response:
        """Only the rows that were rejected, as typed, each with its reason."""
        run = queries.run_of(session(), organisation_id(), code)
        door = access.door(self.name, run.kind)
        _only((*door.brings, *door.agrees))
        report = queries.report_in(run)
        assert report is not None
        content = doing.file_of(services(), run)
        table = read_table(door.kind, doing.desk_for(session(), actor()), content)
        return _file_made(
            f"{run.kind}-{code}-rejected.xlsx",
            lambda path: exporting.write_rejected(
                path, door.kind, table, report, lang=chosen_language()
            ),
        )

    def original(self, code: str) -> Response:
        """The file as it was brought."""
        run = queries.run_of(session(), organisation_id(), code)
        door = access.door(self.name, run.kind)
        _only((*door.brings, *door.agrees))
        content = doing.file_of(services(), run)
        return _file_made(run.file.name, lambda path: path.write_bytes(content))

    def empty_form(self, key: str) -> Response:
        door = access.door(self.name, key)
        _only(door.brings)
        columns = exporting.columns_in(door.kind, doing.desk_for(session(), actor()))
        return _file_made(
            f"{key}-form.xlsx",
            lambda path: exporting.write_form(path, door.kind, columns, lang=chosen_language()),
        )

    def take(self, key: str, ending: str) -> Response:
        """All rows of this desk; the audit trail remembers who took which columns."""
        door = access.door(self.name, key)
        _only(door.takes)
        desk = doing.desk_for(session(), actor())
        columns = exporting.columns_out(door.kind, desk.viewer)
        if desk.supplier is not None:
            columns = [each for each in columns if each.key != "supplier"]
        with transaction() as work:
            exporting.note_export(work, door.kind, columns, by=actor(), now=now())
        lang, instant = chosen_language(), now()
        mark = _mark(say(door.kind.title))

        def write(path: Path) -> None:
            with services().database.snapshot() as reading:
                if ending == "csv":
                    lines = exporting.export_csv(
                        reading, door.kind, desk, columns, mark=mark, lang=lang, now=instant
                    )
                    with path.open("wb") as out:
                        out.writelines(lines)
                else:
                    exporting.write_export(
                        path, reading, door.kind, desk, columns, mark=mark, lang=lang, now=instant
                    )

        return _file_made(f"{key}.{'csv' if ending == 'csv' else 'xlsx'}", write)


_DULL = Outcome.UNCHANGED


def _plain(view: Callable[..., object]) -> Callable[..., object]:
    """A method as a function of its own, so that guards can mark it."""

    def called(**values: object) -> object:
        return view(**values)

    called.__name__ = view.__name__
    called.__doc__ = view.__doc__
    return called


def _named(view: Callable[..., object], name: str) -> Callable[..., object]:
    view.__name__ = name
    return view


def _only(roles: tuple[Role, ...]) -> None:
    if actor().role not in roles:
        raise Forbidden(Text("Your account may not enter here."))


def _page_number() -> int:
    typed = request.args.get("page", "")
    return min(max(int(typed), 1), 10_000) if typed.isascii() and typed.isdigit() else 1


def _mark(title: str) -> str:
    """Whose table this is and who took it when: it stays on every print."""
    membership = acting()
    assert membership is not None
    instant = moment(now(), chinese=chosen_language() == "zh")
    name = membership.organisation.name
    return say(
        Text(
            "%(title)s of %(organisation)s, taken out by %(person)s on %(instant)s. For work only.",
            title=title,
            organisation=name,
            person=current_user.name,
            instant=instant,
        )
    )


def _file_made(name: str, write: Callable[[Path], object]) -> Response:
    """Written beside the database and sent from there, whatever its size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write(path)
        opened = path.open("rb")
    media = "text/csv" if name.endswith(".csv") else XLSX
    return send_file(opened, mimetype=media, as_attachment=True, download_name=name)


COOP = Tables("coop", COOPERATIVE)
OFFICE = Tables("office", (Role.OFFICIAL, Role.DISTRICT))
ADMIN = Tables("admin", (Role.OPERATOR,))
blueprints = (COOP.bp, OFFICE.bp, ADMIN.bp)

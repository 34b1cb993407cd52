"""The register as an Excel file: the same rows, masked the same way, marked with who took them."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session

from catalog.households import queries
from catalog.households.models import MonitorType
from catalog.households.queries import RegisterRow, Wanted
from catalog.households.rules.sheet import as_xlsx
from kernel.web.access import acting
from kernel.web.i18n import moment, say
from kernel.web.work import now, today
from shop.households.reach import Reach

MOST = 20_000


def register_file(session: Session, reach: Reach, wanted: Wanted) -> tuple[bytes, int]:
    """(the file, how many households are in it). Identity numbers never leave in a list."""
    found = queries.register(session, reach.whose, wanted, today=today(), limit=MOST)
    membership = acting()
    assert membership is not None
    mark = _(
        "Taken by %(name)s (%(office)s) on %(moment)s; for official use, do not pass on",
        name=current_user.name,
        office=membership.organisation.short_name,
        moment=moment(now()),
    )
    headings = [
        _("Household code"), _("Household"), _("Village"), _("Group"), _("People"), _("Phone"),
        _("Fields, mu"), _("Helper"), _("Official status"),
    ]  # fmt: skip
    return as_xlsx(mark, headings, map(_cells, found.rows), made_at=now()), len(found.rows)


def _cells(row: RegisterRow) -> list[str | int]:
    return [
        row.code, row.name, row.village, "" if row.group_no is None else row.group_no,
        row.people, row.phone, f"{row.area_mu_100 / 100:.2f}", row.helper, status_words(row),
    ]  # fmt: skip


def status_words(row: RegisterRow) -> str:
    """脱贫户, and what it is monitored for."""
    words = [_("lifted out of poverty")] if row.lifted else []
    if row.monitor_type is not MonitorType.NONE:
        words.append(say(row.monitor_type))
    return "、".join(words)

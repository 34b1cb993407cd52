"""One row of a table of households meets the household it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import operations
from catalog.households.models import (
    Household,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    Plot,
    RiskStatus,
    Sex,
)
from catalog.households.queries import short_name
from kernel.cells import Area
from kernel.errors import Invalid, Text
from kernel.periods import business_year
from kernel.regions import Region
from shop.excel.columns import ADDED, Change, Desk, Done, Row, Said, differences
from shop.excel.kinds.household_columns import missing
from shop.excel.kinds.looking_up import Households, Named, Products

_PERSONAL = ("name", "village", "group", "people", "phone")
_PAID = ("bank", "account", "holder", "proof")
_STATUS = ("lifted", "monitor", "risk", "as_of", "source")


@dataclass(slots=True)
class Holding:
    """One household as it stands now; `token` tells apart what rows of a file speak of."""

    id: int
    token: object
    values: dict[str, Any]
    has_head: bool = False
    plots: dict[tuple[str, str, int], int] = field(default_factory=dict)
    statuses: dict[tuple[date, str], tuple[Any, ...]] = field(default_factory=dict)


class Handling:
    def __init__(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._index = Households(session, desk, rows)
        self._products = Products(session, desk, everybodys=True)
        ids = [each.id for each in self._index.all()]
        self._held = {each.id: each for each in holdings(session, ids)}
        self._villages = _village_names(session, self._index)

    def subjects(self, row: Row) -> list[Said]:
        try:
            held = self._find(row)
            place = self._index.place_of(row)
        except Invalid:
            return []  # apply says why
        token = held.token if held else (*place, row.get("name"))
        said: list[Said] = [(("household", token), (*_PERSONAL, "identity", "sex", *_PAID))]
        if "crop" in row.values:
            plot = (row.get("place"), row.values["crop"], row.get("year"))
            said.append((("plot", token, *plot), ("area",)))
        if "as_of" in row.values:
            about = (row.values["as_of"], row.get("source"))
            said.append((("status", token, *about), ("lifted", "monitor", "risk")))
        return said

    def _find(self, row: Row) -> Holding | None:
        found = self._index.find(row)
        return self._held[found.id] if found else None

    def apply(self, row: Row) -> Done:
        held = self._find(row)
        new = held is None
        if held is None:
            held, changes = self._register(row), []
        else:
            changes = self._correct(held, row)
        for step in (self._set_head, self._set_account, self._set_plot, self._set_status):
            changes += step(held, row)
        # Only now: a row that is refused half way leaves nothing behind, here neither.
        self._keep(held, row)
        if new:
            self._learn(held)
        return ADDED if new else Done.of(changes)

    def _register(self, row: Row) -> Holding:
        village, group = self._index.place_of(row)
        people = row.get("people")
        if village is None or group is None or people is None:
            told = {"village": village, "group": group, "people": people}
            raise missing(*(key for key, value in told.items() if value is None))
        made = operations.register_household(
            self._session, name=row.values["name"], region_code=village, group_no=group,
            people=people, phone=row.get("phone"), by=self._desk.by, now=self._now,
        )  # fmt: skip
        values = {
            "code": made.code, "name": made.name, "village": village, "group": group,
            "people": made.people, "phone": made.phone,
        }  # fmt: skip
        return Holding(made.id, (village, group, made.name), values)

    def _learn(self, held: Holding) -> None:
        """Later rows of the file find it."""
        self._held[held.id] = held
        values = held.values
        self._index.learn(
            Named(held.id, values["code"], values["village"], values["group"], values["name"])
        )

    def _correct(self, held: Holding, row: Row) -> list[Change]:
        village, group = self._index.place_of(row)
        wanted = {key: row.values[key] for key in ("name", "people", "phone") if key in row.values}
        wanted |= {} if village is None else {"village": village}
        wanted |= {} if group is None else {"group": group}
        changes = differences(held.values, Row(row.number, wanted, row.places), _PERSONAL)
        if not changes:
            return []
        now_held = held.values | wanted
        operations.correct_household(
            self._session, held.id, name=now_held["name"], region_code=now_held["village"],
            group_no=now_held["group"], people=now_held["people"], phone=now_held["phone"],
            by=self._desk.by, now=self._now,
        )  # fmt: skip
        return [self._shown(each) for each in changes]

    def _shown(self, change: Change) -> Change:
        if change.key != "village":
            return change
        names = self._villages
        return Change(
            "village",
            names.get(change.before, change.before),
            names.get(change.after, change.after),
        )

    def _set_head(self, held: Holding, row: Row) -> list[Change]:
        number = row.get("identity")
        known = held.values.get("identity")
        if number is None or number == known:
            return []
        if held.has_head:
            raise Invalid(
                {
                    "identity": Text(
                        "Another identity number is registered for the head of this household; "
                        "it is not changed by a table."
                    )
                }
            )
        operations.add_member(
            self._session, held.id, name=row.values["name"], relation="户主",
            sex=row.get("sex") or _sex_in(number), identity=number, is_head=True,
            by=self._desk.by, now=self._now,
        )  # fmt: skip
        return [Change("identity", known, number)]

    def _set_account(self, held: Holding, row: Row) -> list[Change]:
        if "account" not in row.values:
            return []
        holder = row.get("holder") or held.values.get("holder") or row.values["name"]
        wanted = {"account": row.values["account"], "holder": holder}
        changes = differences(
            held.values, Row(row.number, wanted, row.places), ("account", "holder")
        )
        if not changes:
            return []
        bank = row.get("bank") or held.values.get("bank")
        if not bank:
            raise missing("bank")
        operations.open_payout_account(
            self._session, held.id, holder=holder, bank=bank, number=row.values["account"],
            proof=row.get("proof") or "", by=self._desk.by, now=self._now,
        )  # fmt: skip
        return changes

    def _set_plot(self, held: Holding, row: Row) -> list[Change]:
        if "crop" not in row.values and "area" not in row.values:
            return []
        if absent := [key for key in ("crop", "area") if key not in row.values]:
            raise missing(*absent)
        key = self._plot_key(row)
        known = held.plots.get(key)
        if known == row.values["area"]:
            return []
        if known is not None:
            raise Invalid(
                {
                    "area": Text(
                        "This plot is registered with %(area)s for the year; "
                        "it is not changed by a table.",
                        area=Area().said(known, "zh"),
                    )
                }
            )
        place, crop, year = key
        operations.add_plot(
            self._session, held.id, place=place, area_mu_100=row.values["area"], crop=crop,
            year=year, by=self._desk.by, now=self._now,
        )  # fmt: skip
        return [Change("crop", None, row.values["crop"]), Change("area", None, row.values["area"])]

    def _plot_key(self, row: Row) -> tuple[str, str, int]:
        product = self._products.of(row.values["crop"], "crop")
        year = row.get("year") or business_year(self._now)
        return row.get("place") or "", product.code, year

    def _set_status(self, held: Holding, row: Row) -> list[Change]:
        given = [key for key in _STATUS if key in row.values]
        if not given:
            return []
        if absent := [key for key in ("lifted", "as_of", "source") if key not in row.values]:
            raise missing(*absent)
        about = (row.values["as_of"], row.values["source"])
        told = (
            row.values["lifted"],
            row.get("monitor") or MonitorType.NONE,
            row.get("risk") or RiskStatus.NONE,
        )
        if held.statuses.get(about) == told:
            return []
        operations.record_status(
            self._session, held.id, lifted=told[0], monitor_type=told[1], risk_status=told[2],
            as_of=about[0], source=about[1], by=self._desk.by, now=self._now,
        )  # fmt: skip
        latest = held.statuses[max(held.statuses)] if held.statuses else (None, None, None)
        return [
            Change(key, before, after)
            for key, before, after in zip(_STATUS, latest, told, strict=False)
            if before != after
        ] or [Change("as_of", max(held.statuses)[0], about[0])]

    def _keep(self, held: Holding, row: Row) -> None:
        """Remember what the row made true, for later rows of the file."""
        village, group = self._index.place_of(row)
        held.values |= {key: row.values[key] for key in ("name", "people", "phone", "bank")
                        if key in row.values}  # fmt: skip
        held.values |= {} if village is None else {"village": village}
        held.values |= {} if group is None else {"group": group}
        if "identity" in row.values:
            held.has_head = True
            held.values["identity"] = row.values["identity"]
        if "account" in row.values:
            held.values["account"] = row.values["account"]
            held.values["holder"] = (
                row.get("holder") or held.values.get("holder") or row.values["name"]
            )
        if "crop" in row.values:
            held.plots[self._plot_key(row)] = row.values["area"]
        if "as_of" in row.values:
            held.statuses[row.values["as_of"], row.values["source"]] = (
                row.values["lifted"],
                row.get("monitor") or MonitorType.NONE,
                row.get("risk") or RiskStatus.NONE,
            )


def _sex_in(identity: str) -> Sex:
    return Sex.MALE if identity[16:17] in ("1", "3", "5", "7", "9") else Sex.FEMALE


def _village_names(session: Session, index: Households) -> dict[str, str]:
    """Of the villages that the file names, and those where its households live now."""
    known = index.villages.names
    others = {each.region_code for each in index.all()} - set(known)
    found = session.execute(sa.select(Region.code, Region.name).where(Region.code.in_(others)))
    return known | {code: short_name(name) for code, name in found}


def holdings(session: Session, ids: Sequence[int]) -> list[Holding]:
    """These households with everything a table says of them, in a fixed number of queries."""
    found = {
        each.id: Holding(
            each.id,
            ("id", each.id),
            {
                "code": each.code, "name": each.name, "village": each.region_code,
                "group": each.group_no, "people": each.people, "phone": each.phone,
            },
        )
        for each in session.scalars(sa.select(Household).where(Household.id.in_(ids)))
    }  # fmt: skip
    heads = sa.select(HouseholdMember).where(
        HouseholdMember.household_id.in_(ids), HouseholdMember.is_head
    )
    for member in session.scalars(heads):
        held = found[member.household_id]
        held.has_head = True
        held.values |= {"identity": member.identity, "sex": member.sex}
    accounts = sa.select(PayoutAccount).where(
        PayoutAccount.household_id.in_(ids), PayoutAccount.valid_to.is_(None)
    )
    for account in session.scalars(accounts):
        found[account.household_id].values |= {
            "bank": account.bank, "account": account.number, "holder": account.holder,
        }  # fmt: skip
    plots = sa.select(Plot).where(Plot.household_id.in_(ids)).order_by(Plot.year, Plot.id)
    for plot in session.scalars(plots):
        key = (plot.place, plot.crop, plot.year)
        found[plot.household_id].plots.setdefault(key, plot.area_mu_100)
    statuses = sa.select(HouseholdStatus).where(HouseholdStatus.household_id.in_(ids))
    for status in session.scalars(statuses.order_by(HouseholdStatus.id)):
        told = (status.lifted, status.monitor_type, status.risk_status)
        found[status.household_id].statuses[status.as_of, status.source] = told
    return [found[each] for each in ids if each in found]

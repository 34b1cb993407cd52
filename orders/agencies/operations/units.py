"""Units enter the register, and a region's policy of a year is set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money
from kernel.people import Organisation, OrganisationKind
from kernel.regions import prefix
from orders.agencies.models import (
    CanteenType,
    Policy,
    QuotaMovement,
    Unit,
    UnitKind,
    YearRule,
)
from orders.agencies.rules import filing as rules
from orders.sales.models import Channel


def create_unit(
    session: Session,
    *,
    organisation_id: int,
    kind: UnitKind,
    system: str,
    canteen_type: CanteenType,
    representative_id: int | None = None,
    diners: int,
    contact: str,
    contact_phone: str,
    delivery_place: str = "食堂",
    by: Actor,
    now: datetime,
) -> Unit:
    """An organisation becomes a budget unit (domain.md §1.1–1.3). A chain of representatives is
    refused (G6)."""
    organisation = get_or_missing(session, Organisation, organisation_id, lock=True)
    if organisation.kind is not OrganisationKind.UNIT:
        raise Refusal("%(name)s is not a budget unit.", name=organisation.name)
    if session.scalar(sa.select(Unit.id).where(Unit.organisation_id == organisation_id)):
        raise Refusal("%(name)s is registered already.", name=organisation.name)
    representative = session.get(Unit, representative_id) if representative_id else None
    problem = rules.representation_problem(
        unit_id=0,
        canteen_type=canteen_type.value,
        representative=as_representative(representative),
        represents_others=False,
    )
    if problem:
        raise Invalid({"representative_id": problem})
    unit = Unit(
        organisation_id=organisation_id,
        kind=kind,
        system=system,
        canteen_type=canteen_type,
        representative_id=representative_id,
        diners=diners,
        contact=contact,
        contact_phone=contact_phone,
        delivery_place=delivery_place,
        **stamp(by, now),
    )
    session.add(unit)
    session.flush()
    audit.note(session, "create_unit", f"unit:{unit.id}", by=by, now=now, name=organisation.name)
    return unit


def as_representative(unit: Unit | None) -> rules.Representative | None:
    if unit is None:
        return None
    return rules.Representative(
        unit_id=unit.id,
        canteen_type=unit.canteen_type.value,
        represented=unit.representative_id is not None,
    )


def set_policy(
    session: Session,
    *,
    region_code: str,
    year: int,
    ratio_floor_bp: int,
    filing_from: date,
    filing_to: date,
    document_no: str,
    needs_review: bool = True,
    countable_channels: Sequence[Channel] = (Channel.PLATFORM, Channel.NATIONAL_832),
    year_rule: YearRule = YearRule.BY_COMPLETION,
    freight_counts: bool = False,
    union_share_bp: int | None = None,
    approval_threshold: Money = Money(50_000_00),  # noqa: B008  immutable
    tolerance_bp: int = 100,
    annual_cap: Money | None = None,
    price_band_bp: int = 1_500,
    staff_counts: bool = True,
    staff_credit_days: int = 90,
    by: Actor,
    now: datetime,
) -> Policy:
    """The rules of one region and year: a new row, or the row changed.

    What decides counting is fixed as soon as an order of that year and region is in the books:
    figures that were published must not change under those who read them.
    """
    if filing_from > filing_to:
        raise Invalid({"filing_to": Text("Filing must not close before it opens.")})
    if not 0 < ratio_floor_bp <= 10_000:
        raise Invalid({"ratio_floor_bp": Text("The floor is more than 0 and at most 100 percent.")})
    values = {
        "ratio_floor_bp": ratio_floor_bp,
        "filing_from": filing_from,
        "filing_to": filing_to,
        "document_no": document_no,
        "needs_review": needs_review,
        "countable_channels": [channel.value for channel in countable_channels],
        "year_rule": year_rule,
        "freight_counts": freight_counts,
        "union_share_bp": union_share_bp,
        "approval_threshold": approval_threshold,
        "tolerance_bp": tolerance_bp,
        "annual_cap": annual_cap,
        "price_band_bp": price_band_bp,
        "staff_counts": staff_counts,
        "staff_credit_days": staff_credit_days,
    }
    code = prefix(region_code).ljust(12, "0") if region_code.strip("0") else "0" * 12
    policy = session.scalar(
        sa.select(Policy).where(Policy.region_code == code, Policy.year == year).with_for_update()
    )
    if policy is None:
        policy = Policy(region_code=code, year=year, **values, **stamp(by, now))
        session.add(policy)
    else:
        _refuse_recounting(session, policy, values)
        for name, value in values.items():
            setattr(policy, name, value)
    session.flush()
    audit.note(session, "set_policy", f"policy:{policy.id}", by=by, now=now, year=year, region=code)
    return policy


def _refuse_recounting(session: Session, policy: Policy, values: dict[str, object]) -> None:
    decisive = (
        "needs_review", "countable_channels", "year_rule", "freight_counts", "staff_counts",
    )  # fmt: skip
    if all(getattr(policy, name) == values[name] for name in decisive):
        return
    inside = prefix(policy.region_code) if policy.region_code.strip("0") else ""
    counted = session.scalar(
        sa.select(QuotaMovement.id)
        .join(QuotaMovement.unit)
        .join(Unit.organisation)
        .where(QuotaMovement.year == policy.year, Organisation.region_code.startswith(inside))
        .limit(1)
    )
    if counted:
        raise Refusal(
            "Orders of %(year)s are already in the figures; what counts cannot change any more.",
            year=policy.year,
        )

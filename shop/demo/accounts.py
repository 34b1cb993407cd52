"""The sample citizen keeps two addresses and works for the sample school; a colleague of theirs
waits for the school's word. No order is credited yet: whoever looks at the sample does that.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.actors import COMMAND, Actor, Door, Role
from kernel.periods import business_day
from kernel.signing_in import create_user
from orders.sales.operations import (
    Keep,
    agree_employment,
    ask_employer,
    keep_address,
    renew_employer_code,
)
from shop.demo.people import CITIZEN, MAIL, NAMES, SAMPLE_UNIT
from shop.demo.town import Town

ADDRESSES = (
    ("家", "重庆市渝北区", "龙山街道松牌路 8 号 3 栋 12-4", True),
    ("父母家", "重庆市黔江区", "城东街道解放路 21 号 2-1", False),
)
COLLEAGUE = "colleague"


def open_accounts(town: Town, session: Session, now: datetime) -> None:
    """Through the operations themselves, as of the last day of the story."""
    name, body = NAMES[CITIZEN], town.bodies[SAMPLE_UNIT]
    by = Actor(door=Door.WEB, user_id=town.citizen)
    phone = "13800000036"
    for label, place, detail, first in ADDRESSES:
        keep = Keep(
            label=label, recipient=name, phone=phone, place=place, detail=detail, is_default=first
        )  # fmt: skip
        keep_address(session, town.citizen, keep, by=by, now=now)
    approver = town.actor(SAMPLE_UNIT, Role.APPROVER)
    code = renew_employer_code(session, body, by=approver, now=now).code
    first_of_year = business_day(now).replace(month=1, day=1)
    employment = ask_employer(
        session, town.citizen, code=code, name=name, remark="三年级组", by=by, now=now
    )
    agree_employment(
        session, employment.id, organisation_id=body, valid_from=first_of_year, by=approver, now=now
    )
    colleague = create_user(session, email=f"{COLLEAGUE}{MAIL}", name="吴荷清", by=COMMAND, now=now)
    ask_employer(
        session, colleague.id, code=code, name="吴荷清", remark="后勤",
        by=Actor(door=Door.WEB, user_id=colleague.id), now=now,
    )  # fmt: skip

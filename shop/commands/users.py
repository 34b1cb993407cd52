"""`flask user create`"""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import COMMAND, Role
from kernel.db import stamp
from kernel.errors import Refusal
from kernel.people import Organisation, OrganisationKind
from kernel.periods import business_day
from kernel.signing_in import add_membership, create_user, offer_password_link
from kernel.web.work import now, services

group = AppGroup("user", help="People who sign in.")

# Our own organisation stands where the township is, until an operator says otherwise.
HOME_REGION = "500114125000"


@group.command("create")
@click.argument("email")
@click.argument("name")
@click.argument("role", type=click.Choice([each.value for each in Role]))
@click.option("--organisation", help="Its unified social credit code; operators need none.")
def create(email: str, name: str, role: str, organisation: str | None) -> None:
    """Make an account; prints a one-time link to set the password."""
    try:
        with services().database.transaction() as session:
            place = _organisation(session, Role(role), organisation)
            user = create_user(session, email=email, name=name, by=COMMAND, now=now())
            add_membership(
                session,
                user.id,
                organisation_id=place.id,
                role=Role(role),
                valid_from=business_day(now()),
                by=COMMAND,
                now=now(),
            )
            token = offer_password_link(session, user.id, by=COMMAND, now=now())
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{services().config.public_url}/password/{token}")


def _organisation(session: Session, role: Role, uscc: str | None) -> Organisation:
    if uscc:
        found = session.scalar(sa.select(Organisation).where(Organisation.uscc == uscc.upper()))
        if found is None:
            raise Refusal("There is no organisation %(uscc)s.", uscc=uscc)
        return found
    if role is not Role.OPERATOR:
        raise Refusal("Say with --organisation for whom this person works.")
    found = session.scalar(
        sa.select(Organisation)
        .where(Organisation.kind == OrganisationKind.PLATFORM)
        .order_by(Organisation.id)
        .limit(1)
    )
    return found or _ourselves(session)


def _ourselves(session: Session) -> Organisation:
    platform = Organisation(
        name="溯田平台",
        short_name="溯田",
        kind=OrganisationKind.PLATFORM,
        region_code=HOME_REGION,
        **stamp(COMMAND, now()),
    )
    session.add(platform)
    session.flush()  # so that the membership can point to it
    audit.note(
        session, "register_organisation", f"organisation:{platform.id}", by=COMMAND, now=now()
    )
    return platform

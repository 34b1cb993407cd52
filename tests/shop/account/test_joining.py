"""Opening an account and signing in with six digits by mail."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel import proving
from kernel.crypto import keyed_hash
from kernel.people import MailCode, User
from kernel.periods import business_day
from tests import makers
from tests.shop.account.mailbox import code_for, join, letters
from tests.web import given, person


@pytest.fixture
def visitor(app):
    return person(app)


def asks(visitor, address="lin@example.cn", **expect):
    visitor.open("/sign-in/code")
    return visitor.press("Send the code", **{"E-mail": address}, **expect)


def test_a_visitor_opens_an_account_with_a_code_and_is_signed_in(app, visitor, db):
    join(visitor, app, " Lin@Example.cn ".strip().lower()).sees("Welcome, 林溪.")

    visitor.open("/account").sees("lin@example.cn", "shown to be yours", "none; you sign in with")
    with db.reading() as session:
        user = session.scalars(sa.select(User)).one()
    assert (user.email, user.name, user.password_hash) == ("lin@example.cn", "林溪", None)


def test_the_next_time_the_code_alone_signs_in_and_leads_where_one_wanted_to_go(app, visitor):
    join(visitor, app)
    again = person(app)

    again.open("/account/addresses").follow("Send me a code by mail")
    again.press("Send the code", **{"E-mail": "LIN@example.cn"})
    again.press("Go on", **{"Six digits": code_for(app, "lin@example.cn").replace(" ", "　")})

    assert again.path == "/account/addresses"


def test_with_a_password_both_ways_work(app, visitor):
    join(visitor, app, Password="twelve oxen plough")
    other = person(app).open("/sign-in?next=/account")

    other.press("Sign in", **{"E-mail": "lin@example.cn", "Password": "twelve oxen plough"})

    other.sees("is set")
    assert other.page.find(id="f-name")["value"] == "林溪"


def test_a_weak_password_is_refused_and_the_name_is_kept(app, visitor, db):
    visitor = asks(visitor)
    visitor.press("Go on", **{"Six digits": code_for(app, "lin@example.cn")})

    visitor.press("Open the account", status=422, Name="林溪", Password="short")

    visitor.sees("at least 10 characters")
    assert visitor.page.find(id="f-name")["value"] == "林溪"
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(User.id))) == 0


def test_who_has_an_account_and_who_has_none_hear_the_same(app, visitor):
    join(visitor, app)

    known = asks(person(app)).text
    unknown = asks(person(app), "new@example.cn").text

    assert known.replace("lin@", "new@") == unknown


def test_five_wrong_codes_use_it_up_and_the_right_one_comes_too_late(app, visitor, db):
    asks(visitor)
    right = code_for(app, "lin@example.cn").replace(" ", "")
    wrong = f"{(int(right) + 1) % 10**6:06}"

    for _each in range(proving.MOST_WRONG - 1):
        visitor.press("Go on", status=422, **{"Six digits": wrong}).sees("not the six digits")
    visitor.press("Go on", **{"Six digits": wrong}).sees("used up or too old")

    assert visitor.path == "/sign-in/code"
    visitor.client.post("/sign-in/code/enter", data=_guarded(visitor) | {"code": right})
    visitor.open("/account")
    assert visitor.path == "/sign-in"
    with db.reading() as session:
        assert session.scalars(sa.select(MailCode)).one().proven_at is None


def _guarded(visitor) -> dict[str, str]:
    return {"csrf_token": visitor.page.find(attrs={"name": "csrf_token"})["value"]}


def test_a_code_is_too_old_after_fifteen_minutes(app, visitor, clock):
    asks(visitor)
    code = code_for(app, "lin@example.cn")
    clock.move(minutes=15)

    visitor.press("Go on", **{"Six digits": code}).sees("used up or too old")


def test_a_code_works_only_in_the_browser_that_asked_for_it(app, visitor):
    asks(visitor)
    theirs = person(app)
    asks(theirs)
    code = code_for(app, "lin@example.cn")  # the second one

    visitor.press("Go on", status=422, **{"Six digits": code}).sees("not the six digits")


def test_a_code_opens_one_account_once(app, visitor, db):
    join(visitor, app)

    visitor.again(status=400)  # signing in gave this browser a new guard

    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(User.id))) == 1


def test_nobodys_mailbox_is_flooded(app, visitor, clock, db):
    for _each in range(3):
        asks(visitor)
    asks(visitor, status=429).sees("Several codes were sent already", "15 minutes")

    clock.move(minutes=16)
    asks(visitor)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(MailCode.id))) == 4


def test_one_machine_cannot_ask_for_codes_to_many_mailboxes(visitor, clock, db):
    with given(db) as session:
        session.add_all(
            MailCode(
                token_hash=f"{n:064}", email="x", email_hash=f"{n:064}", code_hash="0" * 64,
                address="127.0.0.1", sent_at=clock(), expires_at=clock(),
            )
            for n in range(30)
        )  # fmt: skip

    asks(visitor, status=429)


def test_what_is_no_address_is_said_at_the_field(visitor):
    asks(visitor, "lin at example", status=422).sees("Enter an e-mail address")


def test_neither_code_nor_address_stand_in_the_database(app, visitor, db):
    asks(visitor)
    code = code_for(app, "lin@example.cn").replace(" ", "")

    with db.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM mail_codes")).mappings().one()

    kept = " ".join(str(value) for value in row.values())
    assert code not in kept
    assert "lin@" not in kept
    assert row["email_hash"] == keyed_hash("lin@example.cn")


def test_codes_of_last_week_are_forgotten(app, visitor, db, clock):
    asks(visitor)
    with db.transaction() as session:
        proving.forget(session, now=clock())
    clock.move(days=3)
    with db.transaction() as session:
        assert session.scalar(sa.select(sa.func.count(MailCode.id))) == 1
        proving.forget(session, now=clock())
        assert session.scalar(sa.select(sa.func.count(MailCode.id))) == 0


def test_a_person_moves_to_another_address_and_the_old_one_hears_of_it(app, visitor, db):
    join(visitor, app)

    visitor.open("/account").follow("Another address")
    visitor.press("Send the code", **{"E-mail": "xi@example.cn"})
    visitor.press("Go on", **{"Six digits": code_for(app, "xi@example.cn")}).sees("xi@example.cn")

    assert [to for to, text in letters(app) if "has another one now" in text] == ["lin@example.cn"]
    with db.reading() as session:
        assert session.scalars(sa.select(User)).one().email == "xi@example.cn"


def test_an_address_that_another_account_has_is_not_taken(app, visitor, db):
    join(visitor, app)
    with given(db) as session:
        makers.user(session, email="taken@example.cn")

    visitor.open("/account/email").press("Send the code", **{"E-mail": "taken@example.cn"})
    visitor.press("Go on", status=409, **{"Six digits": code_for(app, "taken@example.cn")})

    visitor.sees("Another account has this address.")
    visitor.open("/account").sees("lin@example.cn")


def test_an_account_the_operator_made_is_proven_by_its_first_code(app, visitor, db, clock):
    with given(db) as session:
        makers.user(session, "向西", email="xiang@example.cn")
    asks(visitor, "xiang@example.cn")

    visitor.press("Go on", **{"Six digits": code_for(app, "xiang@example.cn")})

    with db.reading() as session:
        user = session.scalars(sa.select(User)).one()
    assert business_day(user.email_proven_at) == business_day(clock())


def test_a_person_is_called_otherwise_and_signs_one_browser_out(app, visitor):
    join(visitor, app)
    phone = person(app)
    asks(phone).press("Go on", **{"Six digits": code_for(app, "lin@example.cn")})

    visitor.open("/account").press("Change the name", Name="林小溪").sees("We call you 林小溪")
    visitor.open("/account").press("Sign out there").sees("That browser is signed out.")

    phone.open("/account")
    assert phone.path == "/sign-in"
    visitor.open("/account")
    assert visitor.path == "/account"


def test_nobody_signs_out_somebody_elses_browser(app, visitor, db):
    with given(db) as session:
        other = makers.user(session, "别人")
    theirs = person(app, other)
    join(visitor, app)
    phone = person(app)
    asks(phone).press("Go on", **{"Six digits": code_for(app, "lin@example.cn")})

    form = visitor.open("/account").page.find("form", action=lambda a: a and "/sign-ins/" in a)
    visitor.client.post("/account/sign-ins/1/end", data={
        each["name"]: each.get("value", "") for each in form.find_all("input")
    })  # fmt: skip

    theirs.open("/account")
    assert theirs.path == "/account"

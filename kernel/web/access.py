"""Who may enter. Every route says so: `@public`, `@signed_in` or `@requires(Role…)`.

The acting membership is chosen at sign-in and kept with the sign-in row; `kernel.web.sign_in`
loads it as `g.acting` with its organisation, in the same query as the user.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g
from flask_login import LoginManager, current_user

from kernel.actors import Actor, Door, Role
from kernel.errors import Forbidden, Text
from kernel.people import Membership

login = LoginManager()

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Anyone may enter."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Anyone who is signed in may enter, whatever their roles."""
    return _guard(view, ())


def requires(*roles: Role) -> Callable[[View], View]:
    """Only people who act in one of these roles may enter."""
    assert roles

    def mark(view: View) -> View:
        return _guard(view, roles)

    return mark


def _guard(view: View, roles: tuple[Role, ...]) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return login.unauthorized()
        if roles and (acting() is None or acting().role not in roles):  # type: ignore[union-attr]
            raise Forbidden(Text("Your account may not enter here."))
        return view(*args, **kwargs)

    guarded.access = roles or "signed in"  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def acting() -> Membership | None:
    """The membership this request acts under, with its organisation loaded; None for citizens."""
    if not current_user.is_authenticated:  # the first look at it loads the sign-in
        return None
    found: Membership | None = g.get("acting")
    return found


def sign_in_id() -> int | None:
    """The signed-in browser of this request; None for a guest."""
    if not current_user.is_authenticated:
        return None
    found: int | None = g.get("sign_in_id")
    return found


def actor() -> Actor:
    """Who acts in this request, for `by=`."""
    membership = acting()
    return Actor(
        door=g.get("door", Door.WEB),
        user_id=current_user.id if current_user.is_authenticated else None,
        role=membership.role if membership else None,
        organisation_id=membership.organisation_id if membership else None,
        region_code=membership.organisation.region_code if membership else None,
    )


def organisation_id() -> int:
    """The organisation this request acts for; only behind `@requires`."""
    membership = acting()
    assert membership is not None
    return membership.organisation_id

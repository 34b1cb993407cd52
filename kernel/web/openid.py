"""Signing in through an OpenID provider: the one module that speaks to it.

Code flow with PKCE, state and nonce; the signed token must be the provider's (`iss`), for us
(`aud`), for this visit (`nonce`), and not too old. Only configured by the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from config import Config
from kernel.errors import Refusal, Text


class ProviderSaysNo(Refusal):
    """The provider, or the visitor there, did not agree, or what came back is not to be trusted."""

    status = 422


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the provider vouches for. `email` only if it says that it is verified."""

    issuer: str
    subject: str
    email: str | None
    name: str


def init_app(app: Flask, config: Config) -> None:
    app.jinja_env.globals["openid_name"] = config.oidc_name if config.oidc_issuer else None
    if config.oidc_issuer is None:
        return
    clients = OAuth(app)
    clients.register(
        name="provider",
        server_metadata_url=f"{config.oidc_issuer}/.well-known/openid-configuration",
        client_id=config.oidc_client_id,
        client_secret=config.oidc_client_secret,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": 10,
        },
    )
    app.extensions["openid"] = clients


def offered() -> bool:
    """Whether a provider is configured."""
    return "openid" in current_app.extensions


def lead_there(back: str) -> Response:
    """To the provider's page; the cookie remembers state, nonce and verifier of this visit."""
    try:
        answer: Response = _client().authorize_redirect(back)
    except (requests.RequestException, AuthlibBaseError, RuntimeError, ValueError) as trouble:
        raise _not_reached() from trouble
    return answer


def who_came_back(config: Config) -> Claims:
    """Whom the provider sent back. Raises ProviderSaysNo for anything that does not fit."""
    client = _client()
    try:
        token = client.authorize_access_token(
            claims_options={
                "iss": {"essential": True, "value": config.oidc_issuer},
                "aud": {"essential": True, "value": config.oidc_client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True},
            }
        )
    except requests.RequestException as trouble:
        raise _not_reached() from trouble
    except (AuthlibBaseError, JoseError, ValueError, KeyError, RuntimeError) as trouble:
        raise ProviderSaysNo(
            "Signing in there was broken off or went wrong. Please try again, or use another way."
        ) from trouble
    found: dict[str, Any] | None = token.get("userinfo")
    if not found or not found.get("sub"):
        raise ProviderSaysNo("The provider did not say who you are.")
    verified = found.get("email_verified") is True
    email = str(found.get("email", "")).strip().lower()
    return Claims(
        issuer=str(config.oidc_issuer),
        subject=str(found["sub"])[:255],
        email=email if verified and email else None,
        name=str(found.get("name") or found.get("preferred_username") or "")[:40],
    )


def _client() -> Any:
    if not offered():
        raise Refusal(Text("There is no such way to sign in here."))
    return current_app.extensions["openid"].provider


def _not_reached() -> ProviderSaysNo:
    return ProviderSaysNo("The provider cannot be reached now. Please use another way to sign in.")

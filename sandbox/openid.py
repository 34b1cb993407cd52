"""An OpenID provider on this machine: code flow with PKCE, one client, anybody who types a name.

It refuses what a strict provider refuses: an unknown client or address to return to, a missing
nonce or challenge, a code that was used, is too old, or comes with another verifier.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.wrappers import Response as AnyResponse

bp = Blueprint("openid", __name__, url_prefix="/openid")

CLIENT_ID, CLIENT_SECRET = "sutian", "sandbox"
CODE_WORKS_FOR = 60


class OpenID:
    """Codes that were given out, and the key that signs. Forgotten when the process ends."""

    def __init__(self, public_url: str) -> None:
        self.issuer = f"{public_url}/openid"
        self.codes: dict[str, dict[str, Any]] = {}

    @functools.cached_property
    def key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    def id_token(self, given: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": given["nonce"],
            "sub": given["sub"],
            "email": given["email"],
            "email_verified": given["verified"],
            "name": given["name"],
        }
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def provider() -> OpenID:
    found: OpenID = current_app.extensions["openid_provider"]
    return found


@bp.get("/.well-known/openid-configuration")
def configuration() -> dict[str, Any]:
    issuer = provider().issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }


@bp.get("/jwks")
def jwks() -> dict[str, Any]:
    return {"keys": [provider().key.as_dict(private=False)]}


@bp.get("/authorize")
def authorize() -> tuple[str, int]:
    """Who are you? Anybody may say anything here."""
    problem = _problem_with(request.args)
    if problem:
        return render_template("gone.html", message=problem), 400
    return render_template("openid.html", asked=request.args), 200


@bp.post("/authorize")
def agree() -> tuple[str, int] | AnyResponse:
    problem = _problem_with(request.form)
    if problem:
        return render_template("gone.html", message=problem), 400
    back, state = request.form["redirect_uri"], request.form["state"]
    if "no" in request.form:
        answer = {"error": "access_denied", "state": state}
        return redirect(f"{back}?{urlencode(answer)}", code=303)
    email = request.form.get("email", "").strip().lower()
    code = secrets.token_urlsafe(24)
    provider().codes[code] = {
        "nonce": request.form["nonce"],
        "challenge": request.form["code_challenge"],
        "redirect_uri": back,
        "at": time.time(),
        "sub": hashlib.sha256(email.encode()).hexdigest()[:24],
        "email": email,
        "verified": "unverified" not in request.form,
        "name": request.form.get("name", "").strip(),
    }
    return redirect(f"{back}?{urlencode({'code': code, 'state': state})}", code=303)


@bp.post("/token")
def token() -> tuple[dict[str, Any], int] | Response:
    client = request.authorization
    if client is None or (client.username, client.password) != (CLIENT_ID, CLIENT_SECRET):
        return {"error": "invalid_client"}, 401
    given = provider().codes.pop(request.form.get("code", ""), None)
    verifier = request.form.get("code_verifier", "")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if (
        given is None
        or given["at"] + CODE_WORKS_FOR < time.time()
        or given["challenge"] != challenge.decode()
        or given["redirect_uri"] != request.form.get("redirect_uri")
    ):
        return {"error": "invalid_grant"}, 400
    answer = {
        "access_token": secrets.token_urlsafe(24),
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": provider().id_token(given),
    }
    return answer, 200


def _problem_with(asked: Any) -> str:
    """Why this visit is refused at once; empty when nothing is wrong."""
    back = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") != CLIENT_ID:
        return "未知的应用。"
    if back.path != "/sign-in/openid/back" or back.hostname not in ("127.0.0.1", "localhost"):
        return "回调地址未登记。"
    wanted = ("state", "nonce", "code_challenge")
    if asked.get("code_challenge_method") != "S256" or not all(asked.get(each) for each in wanted):
        return "缺少 state、nonce 或 PKCE 参数。"
    return ""

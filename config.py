"""Everything that differs between one place Sutian runs and another, read once at the start."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One frozen set of settings; `docs/operations.md` explains every variable."""

    secret_key: str
    field_key: str
    database_url: str
    data_dir: Path
    replica_url: str | None = None
    production: bool = False
    public_url: str = "http://127.0.0.1:8000"
    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str | None = None
    smtp_url: str | None = None
    mail_from: str = "溯田 <no-reply@sutian.test>"
    metrics_from: tuple[str, ...] = ("127.0.0.1", "::1")
    oidc_issuer: str | None = None
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = "OpenID"
    proxies: int = 0
    requests_per_minute: int = 6_000
    fast_passwords: bool = False
    root: Path = ROOT

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Config:
        """Fails at once, naming the variable, rather than later and vaguely.

        No secret has a default. Outside production a missing one is made at random and kept,
        readable by its owner only, in `DATA_DIR/secrets.json`.
        """
        data_dir = Path(env.get("DATA_DIR") or ROOT / "var").resolve()
        production = env.get("SUTIAN_ENV") == "production"
        kept = {} if production else _kept_secrets(data_dir)
        return cls(
            secret_key=_secret(env, "SUTIAN_SECRET_KEY", kept),
            field_key=_secret(env, "SUTIAN_FIELD_KEY", kept),
            database_url=env.get("DATABASE_URL") or f"sqlite:///{data_dir / 'sutian.db'}",
            replica_url=env.get("DATABASE_REPLICA_URL") or None,
            data_dir=data_dir,
            production=production,
            public_url=env.get("SUTIAN_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
            stripe_api_key=_secret(env, "STRIPE_API_KEY", kept),
            stripe_webhook_secret=_secret(env, "STRIPE_WEBHOOK_SECRET", kept),
            stripe_api_base=env.get("STRIPE_API_BASE") or None,
            smtp_url=env.get("SMTP_URL") or None,
            mail_from=env.get("SUTIAN_MAIL_FROM", "溯田 <no-reply@sutian.test>"),
            oidc_issuer=env.get("OIDC_ISSUER", "").rstrip("/") or None,
            oidc_client_id=env.get("OIDC_CLIENT_ID", ""),
            oidc_client_secret=env.get("OIDC_CLIENT_SECRET", ""),
            oidc_name=env.get("OIDC_NAME", "OpenID"),
            metrics_from=tuple(env.get("SUTIAN_METRICS_FROM", "127.0.0.1,::1").split(",")),
            proxies=int(env.get("SUTIAN_PROXIES", "0")),
            requests_per_minute=int(env.get("SUTIAN_REQUESTS_PER_MINUTE", "6000")),
        )


def _secret(env: Mapping[str, str], name: str, kept: Mapping[str, str]) -> str:
    value = env.get(name) or kept.get(name)
    if not value:
        raise SystemExit(f"Set {name}: in production every secret comes from the environment.")
    return value


def _kept_secrets(data_dir: Path) -> dict[str, str]:
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "secrets.json"
    fresh = {
        "SUTIAN_SECRET_KEY": secrets.token_urlsafe(32),
        "SUTIAN_FIELD_KEY": secrets.token_hex(32),
        "STRIPE_API_KEY": "sk_test_" + secrets.token_hex(12),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(16),
    }
    if not path.exists():
        # Two processes may start at once: a link appears whole or not at all, and only once.
        draft = data_dir / f"secrets.{os.getpid()}.json"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(fresh, file)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    found: dict[str, str] = json.loads(path.read_text())
    return found

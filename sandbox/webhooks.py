"""Events, and their signed delivery: again and again until the shop says it has them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import stripe

from sandbox.store import Store, Thing

RETRY_AFTER = (0.2, 0.5, 1, 3, 10, 30, 60, 300)


@dataclass
class Sender:
    """Delivers every event to every endpoint on a thread of its own; `log` says how that went."""

    store: Store
    endpoints: list[tuple[str, str]] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)

    def emit(self, kind: str, thing: Thing) -> Thing:
        """Keep the event and begin to deliver it."""
        event = self.store.new(
            "evt",
            "event",
            type=kind,
            api_version=stripe.api_version,
            data={"object": self.store.view(thing)},
            pending_webhooks=len(self.endpoints),
            request={"id": None, "idempotency_key": None},
        )
        body = json.dumps(self.store.view(event), ensure_ascii=False).encode()
        for url, secret in self.endpoints:
            threading.Thread(
                target=self._deliver, args=(kind, body, url, secret), daemon=True
            ).start()
        return event

    def _deliver(self, kind: str, body: bytes, url: str, secret: str) -> None:
        for pause in RETRY_AFTER:
            try:
                status = send(body, url, secret)
            except (urllib.error.URLError, OSError) as problem:
                self.log.append((kind, repr(problem)[:80]))
                time.sleep(pause)
            else:
                self.log.append((kind, str(status)))
                return


def send(body: bytes, url: str, secret: str) -> int:
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", "Stripe-Signature": sign(body, secret)}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """The `Stripe-Signature` header of a body."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"

"""The sandbox payment provider beside the shop, and its messages delivered when a test says so."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest
from werkzeug.serving import make_server

from sandbox.server import create_sandbox
from sandbox.webhooks import sign
from tests import makers
from tests.web import given, person


class Provider:
    """The sandbox over HTTP; `deliver` hands its new events to the shop, signed."""

    def __init__(self) -> None:
        self.app = create_sandbox("http://sandbox.test")
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.app.extensions["provider"].__dict__["public_url"] = self.address
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.client = self.app.test_client()
        self.delivered: set[str] = set()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self) -> list[dict]:
        store = self.app.extensions["provider"].store
        return [store.view(each) for each in reversed(store.newest_first("event"))]

    def deliver(self, shop, *, again: bool = False, backwards: bool = False) -> list[str]:
        """Every event the shop has not been told yet (or all); what the shop answered."""
        events = [each for each in self.events() if again or each["id"] not in self.delivered]
        outcomes = []
        for event in reversed(events) if backwards else events:
            body = json.dumps(event).encode()
            answer = shop.post(
                "/webhooks/stripe",
                data=body,
                headers={"Stripe-Signature": sign(body, "whsec_sutian")},
                content_type="application/json",
            )
            assert answer.status_code == 200, answer.get_data(as_text=True)
            self.delivered.add(event["id"])
            outcomes.append(answer.get_json()["outcome"])
        return outcomes

    def pay(self, url: str, method: str = "card", number: str = "4242424242424242"):
        """Pay on the hosted page; returns where the buyer is led."""
        answer = self.client.post(
            url.removeprefix(self.address), data={"method": method, "number": number}
        )
        if "/c/step/" in answer.headers.get("Location", ""):
            step = answer.location
            answer = self.client.post(step, data={"answer": "yes"})
        return answer


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def config(config, provider):
    return dataclasses.replace(
        config, stripe_api_base=provider.address, public_url="http://localhost"
    )


@pytest.fixture
def radish(db):
    with given(db) as session:
        made = makers.sold_product(session)
        made.pack_id = makers.pack_of(made).id
    return made


@pytest.fixture
def citizen(app):
    return person(app, lang="en")

"""What the provider knows: objects by id, requests by idempotency key. In memory, or in a file."""

from __future__ import annotations

import copy
import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any

Thing = dict[str, Any]


class Refused(Exception):
    """An error as Stripe words it."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}


class Store:
    """All state of one sandbox. Hold `lock` around whatever reads and then writes."""

    def __init__(self, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.answers: dict[str, list[Any]] = {}
        self._file = file
        if file is not None and file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            self.things, self.answers = kept["things"], kept["answers"]

    def new(self, prefix: str, kind: str, **values: Any) -> Thing:
        """A thing with an id nobody guesses. Names that begin with `_` are never shown."""
        thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": int(time.time()),
            "livemode": False,
            "metadata": {},
            **values,
        }
        self.things[thing["id"]] = thing
        return thing

    def get(self, key: str, kind: str) -> Thing:
        thing = self.things.get(key)
        if thing is None or thing["object"] != kind:
            raise Refused(
                f"No such {kind}: '{key}'", status=404, code="resource_missing", param="id"
            )
        return thing

    def newest_first(self, kind: str, **like: Any) -> list[Thing]:
        return [
            thing
            for thing in reversed(self.things.values())
            if thing["object"] == kind and all(thing.get(k) == v for k, v in like.items())
        ]

    def view(self, thing: Thing, expand: tuple[str, ...] = ()) -> Thing:
        """The thing as the outside sees it, with some ids replaced by what they name."""
        shown = {k: copy.deepcopy(v) for k, v in thing.items() if not k.startswith("_")}
        for path in expand:
            name, _, rest = path.partition(".")
            if (named := self.things.get(str(shown.get(name)))) is not None:
                shown[name] = self.view(named, (rest,) if rest else ())
        return shown

    def save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        state = {"things": self.things, "answers": self.answers}
        draft.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        draft.replace(self._file)

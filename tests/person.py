"""A person at a browser, without the browser: finds forms by their buttons, fields by their labels.

`Person` sees only what the page shows. A button or field that is not there is a failed test.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient


class Person:
    """One signed-in (or anonymous) visitor with cookies of its own."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.status = 0
        self.path = ""
        self.page = BeautifulSoup("", "html.parser")

    @property
    def text(self) -> str:
        """What the page says, spaces folded."""
        return " ".join(self.page.get_text(" ").split())

    def open(self, path: str, *, status: int = 200) -> Person:
        """Go to an address, following redirects; the page must answer `status`."""
        return self._show(self.client.get(path, follow_redirects=True), status)

    def follow(self, words: str) -> Person:
        """Click the first link that says `words`."""
        for link in self.page.find_all("a", href=True):
            if words in " ".join(link.get_text(" ").split()):
                return self.open(str(link["href"]))
        raise AssertionError(f"no link says {words!r} on {self.path}")

    def press(self, button: str, *, status: int = 200, **fields: Any) -> Person:
        """Press a button by its words after filling fields by label or name.

        Everything the form already holds is sent along, as a browser would.
        """
        form, pressed = self._form_with(button)
        data = _filled(form)
        for label, value in fields.items():
            name = self._field_name(form, label)
            data[name] = value if isinstance(value, list) else [value]
        if pressed.get("name"):
            data[str(pressed["name"])] = [str(pressed.get("value", ""))]
        action = str(pressed.get("formaction") or form.get("action") or self.path)
        method = str(pressed.get("formmethod") or form.get("method") or "get").lower()
        flat = {name: list(values) for name, values in data.items()}
        if method == "get":
            answer = self.client.get(action, query_string=flat, follow_redirects=True)
        else:
            answer = self.client.post(action, data=flat, follow_redirects=True)
        self.last = (action, flat)
        return self._show(answer, status)

    def again(self, *, status: int = 200) -> Person:
        """Send the very same form once more: the double click, the reload."""
        action, flat = self.last
        return self._show(self.client.post(action, data=flat, follow_redirects=True), status)

    def sees(self, *words: str) -> Person:
        for each in words:
            assert each in self.text, f"{each!r} is not on {self.path}: {self.text[:2000]}"
        return self

    def does_not_see(self, *words: str) -> Person:
        for each in words:
            assert each not in self.text, f"{each!r} is on {self.path}"
        return self

    def _show(self, answer: Any, status: int) -> Person:
        self.status = answer.status_code
        self.path = answer.request.path
        self.page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        assert self.status == status, f"{self.path}: {self.status}: {self.text[:1500]}"
        return self

    def _form_with(self, button: str) -> tuple[Tag, Tag]:
        seen = []
        for each in self.page.find_all(["button", "input"]):
            if each.name == "input" and each.get("type") not in ("submit", "image"):
                continue
            words = " ".join((each.get_text(" ") or str(each.get("value", ""))).split())
            words = words or str(each.get("aria-label", ""))
            seen.append(words)
            if words == button or str(each.get("aria-label", "")) == button:
                owner = each.get("form")
                form = self.page.find("form", id=owner) if owner else each.find_parent("form")
                assert isinstance(form, Tag), f"button {button!r} stands in no form"
                return form, each
        raise AssertionError(f"no button says {button!r} on {self.path}; there are {seen}")

    def _field_name(self, form: Tag, label: str) -> str:
        for each in self.page.find_all("label"):
            words = " ".join(each.get_text(" ").split())
            if words == label or words.startswith(label + " "):
                target = each.get("for")
                field = (
                    self.page.find(id=target)
                    if target
                    else each.find(["input", "select", "textarea"])
                )
                if isinstance(field, Tag) and field.get("name"):
                    return str(field["name"])
        assert form.find(attrs={"name": label}), f"no field {label!r} on {self.path}"
        return label


def _filled(form: Tag) -> dict[str, list[str]]:
    """What a browser would send of a form as it stands."""
    data: dict[str, list[str]] = {}
    for each in form.find_all(["input", "select", "textarea"]):
        name, kind = each.get("name"), each.get("type", "text")
        if not name or each.has_attr("disabled") or kind in ("submit", "image", "button", "file"):
            continue
        if kind in ("checkbox", "radio") and not each.has_attr("checked"):
            continue
        if each.name == "select":
            chosen = each.find("option", selected=True) or each.find("option")
            value = str(chosen.get("value", chosen.get_text())) if isinstance(chosen, Tag) else ""
        elif each.name == "textarea":
            value = each.get_text()
        else:
            value = str(each.get("value", "on" if kind == "checkbox" else ""))
        data.setdefault(str(name), []).append(value)
    return data


def same_site(address: str) -> str:
    """The path and query of a full address."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")

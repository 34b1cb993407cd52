"""What a person sees and does in a browser, and what axe-core says about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """
axe.run().then(found => JSON.stringify(found.violations.map(each => [
  each.id, each.impact,
  each.nodes.slice(0, 3).map(node => node.target.join(" ") + ": " + node.failureSummary),
])))
"""


class Eyes:
    """One page of one width. What the browser complains of is kept in `complaints`."""

    def __init__(self, browser: Browser, site: str, width: int) -> None:
        self._browser = browser
        self.site = site
        self.width = width
        self.complaints: list[str] = []
        self._context: BrowserContext | None = None
        self.page: Page = self.as_guest()

    def as_guest(
        self, *, dark: bool = False, size: str = "normal", lang: str = "zh", script: bool = True
    ) -> Page:
        """A fresh browser that nobody signed in with."""
        self.close()
        self._context = self._browser.new_context(
            viewport={"width": self.width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        self._context.add_cookies(
            [
                {"name": "text_size", "value": size, "url": self.site},
                {"name": "lang", "value": lang, "url": self.site},
            ]
        )
        self.page = self._context.new_page()
        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return self.page

    def close(self) -> None:
        if self._context is not None:
            self._context.close()
            self._context = None

    def open(self, path: str, *, status: int = 200) -> Page:
        answer = self.page.goto(self.site + path)
        assert answer is not None
        assert answer.status == status, (path, answer.status)
        return self.page

    def sign_in(self, email: str, password: str) -> Page:
        """Through the page, as people do."""
        self.open("/sign-in")
        self.page.locator("input[name=email]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_load_state()
        return self.page

    def sideways(self) -> int:
        """How many pixels the page is wider than the screen."""
        wider: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    def axe(self) -> list[Any]:
        """What axe-core finds wrong with the page as it stands. It is given to the page by the
        debugger, since our policy lets no foreign script in."""
        debugger = self.page.context.new_cdp_session(self.page)
        debugger.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        answer = debugger.send(
            "Runtime.evaluate",
            {"expression": LOOK, "awaitPromise": True, "returnByValue": True},
        )
        debugger.detach()
        found: list[Any] = json.loads(answer["result"]["value"])
        return found

    def _complain(self, message: Any) -> None:
        if message.type in ("error", "warning") and "404" not in message.text:
            self.complaints.append(message.text)

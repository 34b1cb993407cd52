"""Walking through the house as one reader: every page that links lead to, one or two of a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException


def crawl(
    app: Flask, client: FlaskClient, starts: list[str], *, of_a_kind: int = 1, most: int = 150
) -> Iterator[tuple[str, str, str]]:
    """(endpoint, address, what it says) of every page that can be reached by links from `starts`.

    Of one kind (endpoint) at most so many are opened beside the starts themselves.
    """
    adapter = app.url_map.bind("localhost")
    waiting, seen, kinds = list(starts), set(starts), Counter()
    opened = 0
    while waiting and opened < most:
        address = waiting.pop(0)
        path = urlsplit(address).path
        try:
            endpoint, _values = adapter.match(path, method="GET")
        except HTTPException:
            continue
        if endpoint in ("static", "settings.language", "account.ask_to_sign_out"):
            continue
        kinds[endpoint] += 1
        if kinds[endpoint] > of_a_kind and address not in starts:
            continue
        answer = client.get(address)
        opened += 1
        text = answer.get_data(as_text=True) if answer.is_json or _is_text(answer) else ""
        yield endpoint, address, text
        if answer.status_code in (301, 302, 303):
            links = [answer.headers["Location"]]
        elif answer.mimetype == "text/html":
            page = BeautifulSoup(text, "html.parser")
            links = [str(a["href"]) for a in page.find_all("a", href=True)]
        else:
            links = []
        for link in links:
            target = urlsplit(urljoin(address, link))
            if target.netloc not in ("", "localhost"):
                continue
            following = target.path + (f"?{target.query}" if target.query else "")
            if following not in seen:
                seen.add(following)
                waiting.append(following)


def _is_text(answer) -> bool:
    return answer.mimetype.startswith("text/") or answer.mimetype.endswith("xml")

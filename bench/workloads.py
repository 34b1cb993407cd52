"""W1–W4 of bench.md, as visitors of the real pages."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from bench.load import Answer, Browser, Run, Step, hidden_fields
from bench.town import name_of

PINYIN = ("luobo", "hongcha", "moyu", "lr", "hb", "xianggu", "tukongluobo")
ENGLISH = ("radish", "tea", "konjac flour", "highland", "smoked pork")


def _right(answer: Answer, status: int = 200) -> Answer:
    if answer.status != status:
        raise RuntimeError(f"{answer.status} {answer.location} {answer.body[:300]}")
    return answer


def hello(browser: Browser, _connection: int, _turn: int) -> int:
    return _right(browser.get("/")).statements


def lists(products: int) -> Step:
    """W1: a shelf of 24 products, another page each time."""

    def step(browser: Browser, connection: int, turn: int) -> int:
        page = 1 + (connection * 13 + turn) % max(1, min(20, products // 24))
        return _right(browser.get(f"/products?page={page}")).statements

    return step


def product_pages(slugs: Sequence[str]) -> Step:
    """W2: a product with its households' villages and its lots."""

    def step(browser: Browser, connection: int, turn: int) -> int:
        return _right(
            browser.get(f"/products/{slugs[(connection * 251 + turn * 7) % len(slugs)]}")
        ).statements

    return step


def searches(products: int) -> Step:
    """W3: one to eight Chinese characters out of a name, pinyin, initials, English."""

    def step(browser: Browser, connection: int, turn: int) -> int:
        chance = Random(connection * 1_000_003 + turn)
        name = name_of(chance.randrange(products))[0]
        if turn % 5 == 3:
            text = chance.choice(PINYIN)
        elif turn % 5 == 4:
            text = chance.choice(ENGLISH)
        else:
            begin = chance.randrange(len(name))
            text = name[begin : begin + chance.randint(1, 8)]
        return _right(browser.get(f"/search?q={quote(text)}")).statements

    return step


class Purchases:
    """W4a: basket → checkout → order with its lots, each time by another guest, who got the shop's
    cookie and the guard of its forms before, on some page that is not measured here."""

    def __init__(self, packs: Sequence[int]) -> None:
        self._packs = packs
        self._guests: dict[int, list[tuple[Browser, str]]] = {}

    def invite(self, port: int, connections: int, guests: int) -> None:
        for number in range(connections):
            browser = Browser(port)
            self._guests[number] = [_guest(browser) for _ in range(guests)]

    def __call__(self, _browser: Browser, connection: int, turn: int) -> int:
        if not self._guests[connection]:
            raise RuntimeError("more purchases than guests")
        browser, token = self._guests[connection].pop()
        pack = self._packs[(connection * 251 + turn * 7) % len(self._packs)]
        return _buy(browser, token, pack)


def _guest(browser: Browser) -> tuple[Browser, str]:
    other = browser.somebody_else()
    fields = hidden_fields(_right(other.get("/sign-in")).body, "/sign-in")
    return other, fields["csrf_token"]


def put(browser: Browser, pack: int, token: str) -> Answer:
    form = {"csrf_token": token, "pack": str(pack), "count": "1", "then": "checkout"}
    return _right(browser.post("/cart/add", form), 303)


def pay(browser: Browser, page: str) -> Answer:
    """The checkout's form filled in and sent."""
    return browser.post(
        "/checkout",
        {
            **hidden_fields(page, "/checkout"),
            "delivery": "send",
            "recipient": "林女士",
            "phone": "13855501234",
            "place": "重庆市渝北区",
            "detail": "龙山街道松牌路 8 号 3 栋",
            "email": "",
            "note": "",
            "no_return": "yes",
        },
    )


@dataclass(frozen=True, slots=True)
class Rush:
    """W4b: what came of the attempts to buy a pack of which there were few."""

    sold: int
    refused: int
    failed: int
    rate: float
    p95: float
    p99: float
    sentence: str


def rush(port: int, pack: int, *, buyers: int = 32, attempts: int = 500) -> Rush:
    """Baskets are filled and checkouts open before the first of them is sent."""
    ready = threading.Barrier(buyers + 1)
    answers: list[Answer] = []
    run = Run()

    def go(number: int) -> None:
        waiting = []
        browser = Browser(port)
        for _ in range(len(range(number, attempts, buyers))):
            browser, token = _guest(browser)
            put(browser, pack, token)
            waiting.append((browser, _right(browser.get("/checkout")).body))
        ready.wait()
        for each, page in waiting:
            begin = time.perf_counter()
            answers.append(pay(each, page))
            run.latencies.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=go, args=(n,)) for n in range(buyers)]
    for each in threads:
        each.start()
    ready.wait()
    begin = time.perf_counter()
    for each in threads:
        each.join()
    run.seconds = time.perf_counter() - begin
    refused = [each for each in answers if each.status in (409, 422)]
    sold = sum(each.status == 303 for each in answers)
    return Rush(
        sold=sold,
        refused=len(refused),
        failed=attempts - sold - len(refused),
        rate=run.rate,
        p95=run.percentile(95),
        p99=run.percentile(99),
        sentence=_summary(refused[0].body) if refused else "",
    )


def _summary(page: str) -> str:
    """What the page says is not right, without its markup."""
    found = re.search(r'<div class="alert".*?<ul>(.*?)</ul>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found.group(1)).split()) if found else ""


def _buy(browser: Browser, token: str, pack: int) -> int:
    first = put(browser, pack, token)
    page = _right(browser.get("/checkout"))
    placed = _right(pay(browser, page.body), 303)
    return first.statements + page.statements + placed.statements

"""Partners read a million sessions, page by page, while others are written; what each page costs."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.million import LOCATIONS, TOKEN_PARTY, Sessions
from ocpi.protocol.headers import authorization
from tests.journeys.nodes import SpreadNode
from tests.journeys.provider import Provider, registered

LIMIT = 100
GRANTED = 10
REPETITIONS = 60
HIGHEST_RATIO = 1.5
# In the cursor of a Link of ours (ocpi/protocol/cursor.py).
_COUNTED_AT = re.compile(r"(cursor=\d+\.\d+\.\d+\.)\d+")


class Failed(Exception):
    """The list was not what it has to be."""


@dataclass(frozen=True)
class List:
    """A list as a partner asks for it, and the SQL condition that its sessions fit."""

    title: str
    partner: Provider
    where: str = "true"
    date_from: datetime | None = None
    date_to: datetime | None = None

    @property
    def url(self) -> str:
        """The address of its first page."""
        dates = {"date_from": self.date_from, "date_to": self.date_to}
        query = "".join(f"&{name}={at:%Y-%m-%dT%H:%M:%SZ}" for name, at in dates.items() if at)
        return f"{self.partner.endpoints['sessions', 'SENDER']}?limit={LIMIT}{query}"

    @property
    def has_dates(self) -> bool:
        """Tell whether sessions leave the list when they change, or come in."""
        return self.date_from is not None or self.date_to is not None

    @property
    def condition(self) -> str:
        """The SQL condition, with the dates."""
        earliest = f" AND last_updated >= '{self.date_from}'" if self.date_from else ""
        return f"{self.where}{earliest}" + (f" AND last_updated < '{self.date_to}'" if self.date_to else "")


@dataclass
class Crawl:
    """One reading of a whole list."""

    sessions: int
    pages: int
    written: int
    seconds: float
    web_mib_before: float
    web_mib_after: float


@dataclass
class Costs:
    """Milliseconds per page, the median at each place in the list.

    The first page has the count of the whole list in it, the second has not; `rest` is the last page, which
    is not full, and `by_offset` the one at half of the list by an offset given by hand.
    """

    first: float
    second: float
    middle: float
    last_full: float
    rest: float
    by_offset: float

    @property
    def last_by_first(self) -> float:
        """What the dearer of the last pages costs, in first pages."""
        return max(self.last_full, self.rest) / self.first

    @property
    def last_by_second(self) -> float:
        """The same in second pages: with no count on either side."""
        return max(self.last_full, self.rest) / self.second

    @property
    def middle_by_first(self) -> float:
        """What the page in the middle costs, in first pages."""
        return self.middle / self.first


class Reader:
    """Reads the node's sessions as a partner."""

    def __init__(self, partner: Provider) -> None:
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.browser.headers["Authorization"] = authorization(partner.token)

    def page(self, url: str) -> tuple[list[int], str]:
        """Return the numbers of a page's sessions, and where the next page is; "" after the last."""
        answer = self._get(url)
        body = answer.json()
        if body["status_code"] != 1000:
            raise Failed(f"OCPI {body['status_code']} at {url}: {body['status_message']}")
        found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        return [int(one["id"][1:]) for one in body["data"]], found[1] if found else ""

    def total(self, url: str) -> int:
        """Return how many sessions the node says are in the list."""
        return int(self._get(url).headers["X-Total-Count"])

    def time_ms(self, url: str) -> float:
        """Return how long a page takes."""
        started_at = time.perf_counter()
        self._get(url)
        return (time.perf_counter() - started_at) * 1000

    def _get(self, url: str) -> requests.Response:
        answer = self.browser.get(url, timeout=60)
        if answer.status_code != 200:
            raise Failed(f"HTTP {answer.status_code} at {url}: {answer.text[:200]}")
        return answer


def crawl(node: SpreadNode, sessions: Sessions, one: List) -> tuple[Crawl, list[str]]:
    """Read a list to its end by Link while sessions are written; return the addresses of its pages too.

    Raises Failed unless each session that was in the list the whole time came exactly once, no other twice,
    and every page but the last was full (with dates, a page may lack one that has just left them).
    """
    reader, seen, links, short = Reader(one.partner), Counter[int](), [], 0
    stayed = sessions.fitting(one.condition)
    mib_before = web_mib(node)
    started_at = time.perf_counter()
    with sessions.changing() as written:
        url = one.url
        while url:
            links.append(url)
            numbers, url = reader.page(url)
            seen.update(numbers)
            short += bool(url) and len(numbers) < LIMIT
    seconds = time.perf_counter() - started_at
    stayed &= sessions.fitting(one.condition)
    missed, repeated = len(stayed - seen.keys()), sum(count > 1 for count in seen.values())
    strange = len(seen.keys() - sessions.fitting(one.where))
    if missed or repeated or strange:
        raise Failed(
            f"{one.title}: of {len(stayed):,} sessions {missed} were missed; {repeated} came more than once,"
            f" {strange} were not to be seen."
        )
    # One that leaves the dates between the look for keys and the read of rows is missing on its page.
    if short and not one.has_dates:
        raise Failed(f"{one.title}: {short} of {len(links)} pages were not full, and not the last.")
    return Crawl(len(stayed), len(links), written.sessions, seconds, mib_before, web_mib(node)), links


def measure(one: List, links: list[str]) -> Costs:
    """Read pages from all over a list in turn, many times."""
    reader = Reader(one.partner)

    def anew(number: int) -> str:
        """Return a Link to a page with a count of now: an old one would run out while we measure."""
        if number == 0:
            return links[0]
        return reader.page(_COUNTED_AT.sub(r"\g<1>0", links[number - 1]))[1] or links[0]

    places = {
        "first": links[0],
        "second": anew(min(1, len(links) - 1)),
        "middle": anew(len(links) // 2),
        "last_full": anew(max(0, len(links) - 2)),
        "rest": anew(len(links) - 1),
        "by_offset": f"{links[0]}&offset={reader.total(links[0]) // 2}",
    }
    times: dict[str, list[float]] = {place: [] for place in places}
    for _ in range(REPETITIONS):
        for place, url in places.items():
            times[place].append(reader.time_ms(url))
    return Costs(**{place: statistics.median(values) for place, values in times.items()})


def run(node: SpreadNode, *, rows: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Fill the node, crawl and measure its lists as partners with different rights read them."""
    with (
        registered(node, "--may-steer", party=("DE", "ALL")) as everything,
        registered(node, party=("DE", "SOM")) as some,
        registered(node, party=TOKEN_PARTY, role="EMSP") as tokens,
    ):
        for number in range(GRANTED):
            node.ask("partner", "grant", str(some.partner_id), "--location", f"LOC{number}")
        say(f"Writing {rows:,} sessions ...")
        sessions = Sessions(node, rows)
        half, later = sessions.changed_at(0.5), sessions.changed_at(0.6)
        at_some = ", ".join(f"'LOC{number}'" for number in range(GRANTED))
        of_party = f"token_party_id = '{TOKEN_PARTY[1]}'"
        lists = [
            List("all", everything),
            List("all, changed in the second half", everything, date_from=half),
            List("all, changed in the first half", everything, date_to=half),
            List("all, changed in a tenth", everything, date_from=half, date_to=later),
            List(f"{GRANTED} of {LOCATIONS} locations", some, f"location_id IN ({at_some})"),
            List("a token party's third", tokens, of_party),
            List("the same, changed in the first half", tokens, of_party, date_to=half),
        ]
        found = []
        for one in lists:
            say(f"Reading, while others are written: {one.title} ...")
            crawled, links = crawl(node, sessions, one)
            costs = measure(one, links)
            ratios = {
                "last_by_first": costs.last_by_first,
                "last_by_second": costs.last_by_second,
                "middle_by_first": costs.middle_by_first,
                "count_share_of_first": 1 - costs.second / costs.first,
            }
            found.append({"list": one.title, **asdict(crawled), "ms": asdict(costs), **ratios})
    return found


def web_mib(node: SpreadNode) -> float:
    """Return the memory of the node's web processes, with what they share counted in each; 0 off Linux."""
    pid = node.programs["web"].process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return 0
    statuses = [Path(f"/proc/{child}/status").read_text() for child in children.read_text().split()]
    return sum(int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) for status in statuses) / 1024

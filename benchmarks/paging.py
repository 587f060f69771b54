"""A partner reads a million sessions, page by page, while others are written; what each page costs."""

from __future__ import annotations

import json
import re
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import requests

from ocpi.protocol.headers import authorization
from tests.factories import session_document
from tests.journeys.nodes import SpreadNode
from tests.journeys.provider import Provider, registered

LOCATIONS = 1000
GRANTED = 10
REPETITIONS = 60
HIGHEST_RATIO = 1.5
PARTY = ("NL", "BNC")
_COLUMNS = """country_code, party_id, session_id, key, status, location_id, evse_uid, token_country_code,
    token_party_id, started_at, ended_at, document, last_updated, created_at"""
# One session in a minute, the oldest first; each changed last an hour after its start.
_INSERT = f"""INSERT INTO charging_sessions_session ({_COLUMNS})
SELECT 'NL', 'BNC', 'S' || n, 'S' || n, 'COMPLETED', 'LOC' || n %% {LOCATIONS}, 'E1', 'NL', 'BNC',
    began, began + interval '1 hour',
    %(document)s::jsonb || jsonb_build_object('id', 'S' || n, 'location_id', 'LOC' || n %% {LOCATIONS}),
    began + interval '1 hour', began
FROM generate_series(%(first)s::int, %(last)s::int) AS n,
    LATERAL (SELECT timestamptz '2025-01-01' + n * interval '1 minute' AS began) AS moment"""
_UPDATE = "UPDATE charging_sessions_session SET last_updated = now() WHERE key = 'S' || %(n)s::text"


class Failed(Exception):
    """The list was not what it has to be."""


@dataclass
class Pages:
    """Milliseconds per page, of each place in one list."""

    title: str
    first_ms: list[float] = field(default_factory=list)
    middle_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """What the last page costs, in first pages."""
        return statistics.median(self.last_ms) / statistics.median(self.first_ms)


@dataclass
class Crawl:
    """One reading of the whole list."""

    rows: int
    pages: int
    written: int
    seconds: float


class Reader:
    """Reads the node's sessions as a partner."""

    def __init__(self, partner: Provider) -> None:
        self.url = partner.endpoints["sessions", "SENDER"]
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.browser.headers["Authorization"] = authorization(partner.token)

    def page(self, url: str) -> tuple[list[str], str]:
        """Return the ids of a page, and where the next one is; "" after the last."""
        answer = self.browser.get(url, timeout=60)
        answer.raise_for_status()
        found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        return [one["id"] for one in answer.json()["data"]], found[1] if found else ""

    def links(self, query: str) -> list[str]:
        """Return the address of each page of a list."""
        links, url = [], f"{self.url}?{query}"
        while url:
            links.append(url)
            _, url = self.page(url)
        return links


def crawl(node: SpreadNode, partner: Provider, *, rows: int) -> tuple[Crawl, list[str]]:
    """Read every session by following Link while others are written; return the addresses of the pages too.

    Raises Failed unless each session that was there at the start came exactly once.
    """
    reader, seen, links = Reader(partner), [0] * rows, []
    stop, written = threading.Event(), [0]
    writer = threading.Thread(target=_write, args=(node, rows, stop, written))
    writer.start()
    started_at = time.perf_counter()
    try:
        url = f"{reader.url}?limit=100"
        while url:
            links.append(url)
            ids, url = reader.page(url)
            for one in ids:
                number = int(one[1:])
                if number < rows:
                    seen[number] += 1
    finally:
        seconds = time.perf_counter() - started_at
        stop.set()
        writer.join()
    if set(seen) != {1}:
        missed, repeated = seen.count(0), sum(count > 1 for count in seen)
        raise Failed(f"{missed} sessions were missed and {repeated} came more than once.")
    return Crawl(rows, len(links), written[0], seconds), links


def measure(partner: Provider, title: str, links: list[str]) -> Pages:
    """Read the first, the middle and the last full page of a list in turn, many times."""
    reader, pages = Reader(partner), Pages(title)
    # A Link of now: those of an hour ago would have the total counted anew.
    middle = reader.page(links[len(links) // 2 - 1])[1] or links[0]
    last = reader.page(links[-3])[1] if len(links) > 2 else links[0]
    for _ in range(REPETITIONS):
        for url, times in ((links[0], pages.first_ms), (middle, pages.middle_ms), (last, pages.last_ms)):
            started_at = time.perf_counter()
            reader.page(url)
            times.append((time.perf_counter() - started_at) * 1000)
    return pages


def run(node: SpreadNode, *, rows: int, say: Callable[[str], None]) -> tuple[Crawl, list[Pages]]:
    """Fill the node, crawl it, and measure its lists as partners with different rights read them."""
    with (
        registered(node, "--may-steer", party=("DE", "ALL")) as everything,
        registered(node, party=("DE", "SOM")) as some,
    ):
        for number in range(GRANTED):
            node.ask("partner", "grant", str(some.partner_id), "--location", f"LOC{number}")
        say(f"Writing {rows:,} sessions ...")
        _fill(node, rows)
        say("Reading them, while others are written ...")
        crawled, links = crawl(node, everything, rows=rows)
        lists = [measure(everything, "all of them", links)]
        changed = Reader(everything).links(f"limit=100&date_from={_moment(node, rows // 2)}")
        lists.append(measure(everything, "those changed in the second half", changed))
        granted = Reader(some).links("limit=100")
        lists.append(measure(some, f"those at {GRANTED} of {LOCATIONS} locations", granted))
    return crawled, lists


def _connection(node: SpreadNode) -> psycopg.Connection[Any]:
    return psycopg.connect(node.environment["DATABASE_URL"], autocommit=True)


def _fill(node: SpreadNode, rows: int) -> None:
    template = json.dumps(session_document("S", country_code=PARTY[0], party_id=PARTY[1], status="COMPLETED"))
    with _connection(node) as connection:
        connection.execute(_INSERT.encode(), {"document": template, "first": 0, "last": rows - 1})
        connection.execute("VACUUM ANALYZE charging_sessions_session")


def _write(node: SpreadNode, rows: int, stop: threading.Event, written: list[int]) -> None:
    """Add new sessions and change old ones until told to stop."""
    template = json.dumps(session_document("S", country_code=PARTY[0], party_id=PARTY[1]))
    with _connection(node) as connection:
        while not stop.wait(0.02):
            number = rows + written[0]
            connection.execute(_INSERT.encode(), {"document": template, "first": number, "last": number})
            connection.execute(_UPDATE.encode(), {"n": str(number * 7919 % rows)})
            written[0] += 1


def _moment(node: SpreadNode, number: int) -> str:
    with _connection(node) as connection:
        row = connection.execute(
            "SELECT to_char(last_updated AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
            "FROM charging_sessions_session WHERE key = %s",
            [f"S{number}"],
        ).fetchone()
    assert row is not None
    return str(row[0])

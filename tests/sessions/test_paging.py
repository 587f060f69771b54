"""Paging our sessions: each once whatever is written meanwhile, and no page at the cost of a whole list."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from ocpi.partners import grants
from ocpi.partners.models import Partner
from ocpi.protocol.cursor import OPEN_END, Cursor, checksum
from ocpi.protocol.headers import Routing
from ocpi.protocol.pagination import paginated
from sessions.models import Session
from sessions.visibility import MOST_PARTS, parts_visible_to, visible_to
from tests.factories import NOW, iso, make_partner, make_session

pytestmark = pytest.mark.django_db

PLACES = ["LOC1", "LOC2", "LOC3"]
PARTIES = [("DE", "EMS"), ("NL", "NOD")]


def page(
    partner: Partner, query: str, *, party: tuple[str, str] | None = None, now: datetime = NOW
) -> Response:
    routing = Routing(*party, "DE", "EMS").headers if party else {}
    return paginated(
        Request(APIRequestFactory().get(f"/?{query}", headers=routing)),
        visible_to(partner, party),
        lambda rows: [{"id": row.session_id} for row in rows],
        url="https://node.example.com/sessions",
        now=now,
        parts=parts_visible_to(partner, party),
    )


def ids(response: Response) -> list[str]:
    return [one["id"] for one in response.data["data"]]


def following(response: Response) -> str | None:
    """Return the query of the Link to the next page."""
    return response["Link"].split("?")[1].split(">")[0] if response.has_header("Link") else None


def crawl(partner: Partner, query: str) -> list[str]:
    seen, following_query = [], query
    for _ in range(100):
        response = page(partner, following_query)
        seen += ids(response)
        told = following(response)
        if told is None:
            return seen
        following_query = told
    pytest.fail("The list did not end.")


def granted(*places: str) -> Partner:
    """Return a partner that sees some locations, and the sessions of its own tokens."""
    partner = make_partner(role="EMSP", country_code="DE", party_id="EMS")
    for place in places:
        grants.grant(partner, location_id=place, now=NOW)
    return partner


@pytest.mark.parametrize("more", [0, MOST_PARTS])
def test_gives_a_session_once_that_is_seen_for_two_reasons(more: int) -> None:
    partner = granted("LOC1", "LOC2", *[f"MORE{number}" for number in range(more)])
    for number in range(12):
        make_session(
            session_id=f"S{number}", location_id=PLACES[number % 3], token_party=PARTIES[number // 3 % 2]
        )

    expected = ["S0", "S1", "S2", "S3", "S4", "S6", "S7", "S8", "S9", "S10"]
    for limit in (1, 2, 3, 7, 100):
        assert crawl(partner, f"limit={limit}") == expected
    assert page(partner, "limit=2")["X-Total-Count"] == "10"
    assert ids(page(partner, "limit=3&offset=4")) == ["S4", "S6", "S7"]


@pytest.mark.parametrize("party", [None, ("NL", "NOD"), ("BE", "TWO")])
@pytest.mark.parametrize(
    "given",
    [
        [],
        [("", None)],
        [("", ("BE", "TWO"))],
        [("", ("BE", "TWO")), ("LOC1", ("NL", "NOD"))],
        [("LOC1", ("NL", "NOD")), ("LOC2", ("BE", "TWO"))],
        [(f"LOC{number}", ("NL", "NOD")) for number in range(1, MOST_PARTS + 3)],
    ],
)
def test_its_parts_are_what_the_partner_may_see(given: list[Any], party: tuple[str, str] | None) -> None:
    for own in (("NL", "NOD"), ("BE", "TWO")):
        for number, place in enumerate(PLACES * 2):
            ids_of = {"country_code": own[0], "party_id": own[1]}
            name = f"{own[1]}{number}"
            make_session(session_id=name, location_id=place, token_party=PARTIES[number // 3], **ids_of)
    partner = granted()
    for location_id, of_party in given:
        grants.grant(partner, location_id=location_id, party=of_party, now=NOW)

    found = {key for part in parts_visible_to(partner, party) for key in part.values_list("pk", flat=True)}

    assert found == set(visible_to(partner, party).values_list("pk", flat=True))
    assert found


def test_counts_anew_for_another_party_of_ours() -> None:
    partner = make_partner(may_steer=True)
    for number, country_code in enumerate(["NL", "BE", "NL", "BE", "BE"]):
        party_id = "NOD" if country_code == "NL" else "TWO"
        make_session(session_id=f"S{number}", country_code=country_code, party_id=party_id)
    until = "limit=1&date_to=2026-02-01T00:00:00Z"

    first = page(partner, until, party=("NL", "NOD"))
    later = page(partner, (following(first) or "").replace("limit=1", "limit=9"), party=("BE", "TWO"))

    assert (ids(first), first["X-Total-Count"]) == (["S0"], "2")
    assert (ids(later), later["X-Total-Count"]) == (["S1", "S3", "S4"], "3")


@pytest.mark.parametrize("filters", ["", "&date_to=2026-01-15T12:01:00Z"])
def test_shows_nothing_more_through_a_cursor_made_up(filters: str) -> None:
    partner = granted("LOC1")
    mine, _ = make_session(location_id="LOC1"), make_session(location_id="LOC2")
    dates = {"date_to": "2026-01-15T12:01:00Z"} if filters else {}
    made_up = Cursor(0, OPEN_END, 99, int(NOW.timestamp()), checksum(dates))

    response = page(partner, f"limit=5&offset=0&cursor={made_up}{filters}")

    assert (ids(response), response["X-Total-Count"]) == ([mine.session_id], "99")


minutes = st.integers(-3, 3).map(lambda number: NOW + timedelta(minutes=number))


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, int, datetime, str, tuple[str, str]]:
    """Draw something to be done: what, to which of the sessions, and the values of one that is new."""
    return (
        draw(st.sampled_from(["add", "update", "remove"])),
        draw(st.integers(0, 20)),
        draw(minutes),
        draw(st.sampled_from(PLACES)),
        draw(st.sampled_from(PARTIES)),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(minutes, st.sampled_from(PLACES), st.sampled_from(PARTIES)), max_size=9),
    window=st.tuples(st.none() | minutes, st.none() | minutes).filter(
        lambda window: None in window or window[0] <= window[1]
    ),
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seconds=st.lists(st.integers(0, 50), min_size=1, max_size=4),
    turns=st.lists(st.lists(changes(), max_size=3), max_size=12),
)
def test_what_stays_in_the_list_comes_exactly_once_and_nothing_twice(
    rows: list[Any], window: Any, limits: list[int], seconds: list[int], turns: list[Any]
) -> None:
    Partner.objects.all().delete()
    Session.objects.all().delete()
    partner = granted("LOC1", "LOC2")
    date_from, date_to = window
    made = 0

    def add(last_updated: datetime, place: str, token_party: tuple[str, str]) -> None:
        nonlocal made
        session = make_session(session_id=f"S{made}", location_id=place, token_party=token_party)
        Session.objects.filter(pk=session.pk).update(last_updated=last_updated)
        made += 1

    def inside() -> set[str]:
        fitting = visible_to(partner)
        if date_from:
            fitting = fitting.filter(last_updated__gte=date_from)
        if date_to:
            fitting = fitting.filter(last_updated__lt=date_to)
        return set(fitting.values_list("session_id", flat=True))

    for row in rows:
        add(*row)
    dates = {"date_from": date_from and iso(date_from), "date_to": date_to and iso(date_to)}
    query = urlencode({"limit": limits[0]} | {name: value for name, value in dates.items() if value})
    stayed, seen, now = inside(), [], NOW
    for turn in range(100):
        response = page(partner, query, now=now)
        seen += ids(response)
        told = following(response)
        if told is None:
            break
        for action, number, moment, place, token_party in turns[turn] if turn < len(turns) else []:
            one = Session.objects.filter(session_id=f"S{number % max(made, 1)}")
            if action == "add":
                add(moment, place, token_party)
            elif action == "update":
                one.update(last_updated=moment)
            else:
                one.delete()
        stayed &= inside()
        now += timedelta(seconds=seconds[turn % len(seconds)])
        query = re.sub(r"limit=\d+", f"limit={limits[turn % len(limits)]}", told)
    else:
        pytest.fail("The list did not end.")

    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)


def rows_read(sql: str) -> int:
    """Return the most rows that a step of the statement's plan reads."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        steps, most = [cursor.fetchone()[0][0]["Plan"]], 0
    while steps:
        step = steps.pop()
        rows = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
        most = max(most, rows * step["Actual Loops"])
        steps += step.get("Plans", [])
    return most


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dates", ["", "&date_from=2026-01-11T00:00:00Z", "&date_to=2026-01-11T00:00:00Z"])
@pytest.mark.parametrize("party", [None, ("NL", "NOD")])
@pytest.mark.parametrize("sees_all", [True, False])
def test_no_page_reads_more_rows_than_it_needs(
    dates: str, sees_all: bool, party: tuple[str, str] | None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO charging_sessions_session (country_code, party_id, session_id, key, status,"
            " location_id, evse_uid, token_country_code, token_party_id, started_at, document, last_updated,"
            " created_at) SELECT 'NL', 'NOD', 'S' || n, 'S' || n, 'COMPLETED', 'LOC' || n % 50, 'E', 'DE',"
            " CASE WHEN n % 3 = 0 THEN 'EMS' ELSE 'OTH' END, moment, to_jsonb(repeat('x', 700)), moment,"
            " moment FROM generate_series(1, 30000) AS n,"
            " LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS moment) AS moments"
        )
        cursor.execute("VACUUM ANALYZE charging_sessions_session")
    partner = make_partner(may_steer=True) if sees_all else granted("LOC1", "LOC2")

    query: str | None = f"limit=100{dates}"
    turn = 0
    while query is not None:
        with CaptureQueriesContext(connection) as captured:
            query = following(page(partner, query, party=party))
        if turn % 20 == 1 or query is None:
            statements = [one["sql"] for one in captured if 'FROM "charging_sessions_session"' in one["sql"]]
            assert statements
            assert [sql for sql in statements if rows_read(sql) > 300] == []
        turn += 1
    assert turn > 20

import itertools
import json
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from locations.models import Location
from ocpi.protocol.client import Reply
from ocpi.protocol.cursor import OPEN_END, Cursor, checksum
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.list_reading import Place, pages
from ocpi.protocol.pagination import paginated
from tests.factories import NOW, iso, make_location

URL = "https://node.example.com/ocpi/2.2.1/sender/locations"


def page(query: str = "", *, now: datetime = NOW) -> Response:
    request = Request(APIRequestFactory().get(f"/whatever?{query}", headers={"Host": "evil.example"}))
    return paginated(
        request,
        Location.objects.all(),
        lambda rows: [{"id": row.location_id} for row in rows],
        url=URL,
        now=now,
    )


def ids(response: Response) -> list[str]:
    return [one["id"] for one in response.data["data"]]


def link(response: Response) -> tuple[str, dict[str, str]]:
    target, rel = response["Link"].split("; ")
    assert (target[0], target[-1], rel) == ("<", ">", 'rel="next"')
    address, _, query = target[1:-1].partition("?")
    return address, dict(parse_qsl(query))


@pytest.fixture
def locations(db: None) -> list[Location]:
    """Return L0 … L4, each updated a minute before the one that was made earlier."""
    made = [make_location(location_id=f"L{number}", evses=0) for number in range(5)]
    for number, location in enumerate(made):
        Location.objects.filter(pk=location.pk).update(last_updated=NOW - timedelta(minutes=number))
    return made


def test_lists_the_oldest_first_and_says_how_many_there_are(locations: list[Location]) -> None:
    response = page()

    assert ids(response) == ["L0", "L1", "L2", "L3", "L4"]
    assert (response["X-Total-Count"], response["X-Limit"], response.has_header("Link")) == (
        "5",
        "100",
        False,
    )


def test_answers_an_empty_list(db: None) -> None:
    response = page()

    assert (response.status_code, response.data["data"], response["X-Total-Count"]) == (200, [], "0")


def test_links_to_the_next_page_below_the_published_address(locations: list[Location]) -> None:
    response = page("limit=2")

    address, query = link(response)
    assert address == URL
    cursor = Cursor(locations[1].pk, OPEN_END, 5, int(NOW.timestamp()), checksum({}))
    assert query == {"limit": "2", "offset": "2", "cursor": str(cursor)}
    last = page("limit=2&offset=4")
    assert (ids(last), last.has_header("Link")) == (["L4"], False)


def test_repeats_the_filters_as_they_came(locations: list[Location]) -> None:
    date_from = iso(NOW - timedelta(minutes=3)).replace("Z", "+00:00")

    response = page(f"limit=1&date_from={date_from.replace('+', '%2B')}&date_to=2026-01-15T12:00:00")

    _, query = link(response)
    assert query["date_from"] == date_from
    assert query["date_to"] == "2026-01-15T12:00:00"
    assert (ids(response), response["X-Total-Count"]) == (["L1"], "3")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("date_from=2026-01-15T12:00:00Z", ["L0"]),
        ("date_to=2026-01-15T12:00:00Z", ["L1", "L2", "L3", "L4"]),
        ("date_from=2026-01-15T11:58:00Z&date_to=2026-01-15T11:59:00Z", ["L2"]),
        ("date_from=2026-01-15T11:58:00Z&date_to=2026-01-15T11:58:00Z", []),
        # A "+" that was not percent-encoded arrives as a space.
        ("date_from=2026-01-15T13:00:00+01:00", ["L0"]),
        ("limit=" + "9" * 18, ["L0", "L1", "L2", "L3", "L4"]),
        ("limit=2000", ["L0", "L1", "L2", "L3", "L4"]),
        ("offset=3", ["L3", "L4"]),
        ("offset=5", []),
        ("offset=100000000000000000", []),
    ],
)
def test_returns_what_the_query_asks_for(locations: list[Location], query: str, expected: list[str]) -> None:
    response = page(query)

    assert ids(response) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=abc", "limit: must be a whole number, at least 1"),
        ("limit=0", "limit: must be a whole number, at least 1"),
        ("limit=-1", "limit: must be a whole number, at least 1"),
        ("limit=", "limit: must be a whole number, at least 1"),
        ("limit=1.5", "limit: must be a whole number, at least 1"),
        ("offset=-1", "offset: must be a whole number, at least 0"),
        ("offset=" + "9" * 19, "offset: must be a whole number, at least 0"),
        ("cursor=x", "cursor: must be as a Link of ours has it"),
        ("cursor=1.2", "cursor: must be as a Link of ours has it"),
        ("cursor=1.2.3.4.-5", "cursor: must be as a Link of ours has it"),
        ("cursor=1.2.3.4.5.6", "cursor: must be as a Link of ours has it"),
        ("cursor=1.2.3.4.%D9%A3", "cursor: must be as a Link of ours has it"),
        ("cursor=1.2.3.4." + "9" * 19, "cursor: must be as a Link of ours has it"),
        ("date_from=abc", "date_from: must be a date and time like 2026-01-31T12:00:00Z"),
        ("date_to=", "date_to: must be a date and time like 2026-01-31T12:00:00Z"),
        (
            "date_from=2026-01-02T00:00:00Z&date_to=2026-01-01T00:00:00Z",
            "date_from: must not be after date_to",
        ),
    ],
)
def test_refuses(db: None, query: str, message: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        page(query)

    assert caught.value.message == message


def test_keeps_its_place_while_rows_before_it_change(locations: list[Location]) -> None:
    _, query = link(page("limit=2"))
    locations[0].delete()
    make_location(location_id="L5", evses=0)

    response = page("&".join(f"{name}={value}" for name, value in query.items()))

    assert ids(response) == ["L2", "L3"]
    assert link(response)[1]["offset"] == "4"


@pytest.mark.parametrize(("later_s", "total"), [(59, "5"), (60, "6"), (-1, "6")])
def test_counts_once_a_minute_while_somebody_follows_its_links(
    locations: list[Location], later_s: int, total: str
) -> None:
    query = urlencode(link(page("limit=2"))[1])
    make_location(location_id="L5", evses=0)

    assert page(query, now=NOW + timedelta(seconds=later_s))["X-Total-Count"] == total
    assert page("limit=2")["X-Total-Count"] == "6"


def test_takes_filters_that_were_changed_in_its_links(locations: list[Location]) -> None:
    _, query = link(page("limit=1&date_to=2026-01-15T11:59:00Z"))
    later = urlencode(query | {"date_to": "2026-01-15T11:57:00Z", "limit": "5"})
    earlier = urlencode(query | {"date_to": "2026-01-15T12:00:00Z", "limit": "5"})
    open_ended = urlencode({name: value for name, value in query.items() if name != "date_to"})

    assert (ids(page(later)), page(later)["X-Total-Count"]) == (["L4"], "1")
    assert (ids(page(earlier)), page(earlier)["X-Total-Count"]) == (["L3", "L4"], "4")
    assert page(open_ended)["X-Total-Count"] == "5"


CHANGES = st.lists(st.sampled_from(["add", "update", "remove"]), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(0, 9),
    limits=st.lists(st.integers(1, 4), min_size=1),
    changes=st.lists(CHANGES),
    data=st.data(),
)
def test_a_crawl_sees_each_row_once_whatever_is_written_meanwhile(
    db: None, rows: int, limits: list[int], changes: list[list[str]], data: st.DataObject
) -> None:
    Location.objects.all().delete()
    stayed = {make_location(location_id=f"R{number}", evses=0).location_id for number in range(rows)}
    seen: list[str] = []
    numbers = itertools.count()
    query = f"limit={limits[0]}"
    for turn in range(100):
        response = page(query)
        seen += ids(response)
        if not response.has_header("Link"):
            break
        for change in changes[turn] if turn < len(changes) else []:
            if change == "add" and turn < 20:
                make_location(location_id=f"N{next(numbers)}", evses=0)
            elif stayed:
                row = Location.objects.filter(location_id=data.draw(st.sampled_from(sorted(stayed))))
                if change == "update":
                    row.update(last_updated=NOW + timedelta(minutes=turn))
                else:
                    stayed.discard(row.get().location_id)
                    row.delete()
        query = urlencode(link(response)[1] | {"limit": limits[(turn + 1) % len(limits)]})
    else:
        pytest.fail("The list did not end.")

    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)


def test_reads_its_own_lists_to_the_end(locations: list[Location]) -> None:
    asked = []

    def fetch(place: Place) -> Reply:
        asked.append(place.address)
        response = page(urlsplit(place.address).query or urlencode(place.query or {}))
        rows = json.loads(json.dumps(response.data["data"]))
        return Reply(200, 1000, "", rows, response.headers, is_envelope=True, elapsed_ms=1)

    found = [one["id"] for rows in pages(fetch, URL, {"limit": 2}) for one in rows]

    assert found == ["L0", "L1", "L2", "L3", "L4"]
    assert len(asked) == 3

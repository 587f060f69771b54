"""OCPI 2.2.1 transport_and_format, "Pagination": lists that we answer, and lists of partners that we read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.factories import CPO_ENDPOINTS, location_document
from tests.journeys.obedient import at
from tests.journeys.provider import Provider, Scene, registered
from tests.peer import Recorded, enveloped
from tests.spec.answers import said
from tests.spec.charging import charging_at
from tests.spec.endpoints import NOTHING, Endpoint
from tests.spec.operator import Operator

READ_ONLY = [("credentials", "SENDER")]
LIST = "/2.2.1/sender/locations"
Page = tuple[list[dict[str, Any]], int, str | None]


@pytest.fixture(scope="module")
def place(scene: Scene) -> Iterator[Scene]:
    """A station at a location of its own."""
    with charging_at(scene, "PAGES", evses=8) as place:
        yield place


@pytest.fixture(scope="module")
def transactions(place: Scene) -> dict[str, int]:
    """Five sessions there, and their transactions."""
    started = [place.session() for _ in range(5)]
    return {session: transaction for session, _, transaction in started}


@pytest.fixture(scope="module")
def sessions(place: Scene, transactions: dict[str, int]) -> Iterator[Endpoint]:
    """The node's sessions, for a partner that sees those five only."""
    with registered(place.node, party=("BE", "PGR"), endpoints=READ_ONLY) as reader:
        place.node.ask("partner", "grant", str(reader.partner_id), "--location", "PAGES")
        yield Endpoint(reader, "sessions", "SENDER")


@pytest.fixture(scope="module")
def owner(scene: Scene) -> Iterator[Provider]:
    """A CPO whose lists we read."""
    with registered(scene.node, party=("BE", "PGO"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        yield partner


def moment(one: dict[str, Any]) -> datetime:
    """Return when an object was last updated."""
    return datetime.fromisoformat(one["last_updated"])


def page_at(sessions: Endpoint, url: str) -> Page:
    """Return a page, the total and the address of the next page."""
    answer = sessions.partner.ask("GET", url)
    data = said(answer)[1]["data"]
    link = answer.headers.get("Link")
    found = re.fullmatch(r'<(http://[^<>]+)>; rel="next"', link) if link else None
    assert bool(found) is bool(link)
    assert answer.headers["X-Limit"] == "100"
    return data, int(answer.headers["X-Total-Count"]), found[1] if found else None


def crawl(sessions: Endpoint, url: str | None) -> Iterator[Page]:
    """Read on from an address to the last page."""
    while url:
        page = page_at(sessions, url)
        yield page
        url = page[2]


PARAMETERS = {"date_from": "2026-01-01T00:00:00Z", "date_to": at(3600), "offset": "0", "limit": "100"}


@pytest.mark.parametrize("module", ["locations", "sessions"])
@pytest.mark.parametrize("names", [[], *[[name] for name in PARAMETERS], list(PARAMETERS)], ids="-".join)
def test_a_list_takes_any_of_the_four_parameters_or_none(
    sessions: Endpoint, module: str, names: list[str]
) -> None:
    listed = Endpoint(sessions.partner, module, "SENDER")

    answer = listed.ask("GET", params={name: PARAMETERS[name] for name in names})

    assert answer.json()["data"] == listed.data(limit="100")[: 100 if "limit" in names else 50]
    assert answer.headers["X-Limit"] == "100"


def test_a_window_begins_with_its_first_moment_and_ends_before_its_last(sessions: Endpoint) -> None:
    listed = sessions.data()
    assert len({moment(one) for one in listed}) > 1

    for border in listed:
        text = border["last_updated"]
        assert sessions.data(date_from=text) == [one for one in listed if moment(one) >= moment(border)]
        assert sessions.data(date_to=text) == [one for one in listed if moment(one) < moment(border)]
    assert sessions.data(date_from=text, date_to=text) == []


def test_pages_follow_by_links_that_repeat_the_filters(place: Scene, sessions: Endpoint) -> None:
    listed = sessions.data()
    begin, end = listed[0]["last_updated"], at(600)
    query = f"date_from={begin}&date_to={end}&limit=2"

    pages = list(crawl(sessions, f"{sessions.url}?{query}"))

    assert [data for data, _, _ in pages] == [listed[:2], listed[2:4], listed[4:]]
    assert [total for _, total, _ in pages] == [5, 5, 5]
    links = [link for _, _, link in pages]
    assert links[2] is None
    for link in links[:2]:
        assert link is not None
        assert link.split("?")[0] == f"{place.node.url}/ocpi/2.2.1/sender/sessions"
        repeated = parse_qs(urlsplit(link).query)
        assert (repeated["date_from"], repeated["date_to"], repeated["limit"]) == ([begin], [end], ["2"])


def test_the_total_counts_what_the_dates_and_the_partners_rights_leave(
    scene: Scene, sessions: Endpoint
) -> None:
    listed = sessions.data()
    later = [one for one in listed if moment(one) >= moment(listed[2])]

    one, total, link = page_at(sessions, f"{sessions.url}?date_from={listed[2]['last_updated']}&limit=1")

    assert (one, total) == (later[:1], len(later))
    assert link is not None
    nobodys = Endpoint(scene.stranger, "sessions", "SENDER").ask("GET")
    assert (nobodys.json()["data"], nobodys.headers["X-Total-Count"]) == ([], "0")
    assert "Link" not in nobodys.headers


@pytest.mark.parametrize("limit", [1, 2, 100, 101, 2000])
def test_the_limit_in_the_answer_is_the_most_that_we_give(sessions: Endpoint, limit: int) -> None:
    data, total, link = page_at(sessions, f"{sessions.url}?limit={limit}")

    assert (len(data), bool(link)) == (min(limit, total), limit < total)


@pytest.mark.parametrize("offset", [0, 1, 4, 5, 6, 10**9])
def test_behind_the_last_object_is_an_empty_page(sessions: Endpoint, offset: int) -> None:
    listed = sessions.data()

    data, total, link = page_at(sessions, f"{sessions.url}?offset={offset}&limit=2")

    assert (data, total) == (listed[offset : offset + 2], 5)
    assert bool(link) is (offset + 2 < 5)
    for wrong in ("limit=0", "limit=-1", "limit=many", f"offset={offset}x"):
        assert sessions.get(**dict([wrong.split("=")])) == (200, 2001, NOTHING)


def test_pages_stay_in_order_while_objects_change_and_come(
    place: Scene, sessions: Endpoint, transactions: dict[str, int]
) -> None:
    before = [one["id"] for one in sessions.data()]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    # What changes leaves a window that has ended, and those behind it move up.
    starts = [f"{sessions.url}?limit=2", f"{sessions.url}?limit=2&date_to={now}Z"]
    firsts = [page_at(sessions, url) for url in starts]

    place.station.stop(transactions[before[0]], meter_wh=2000, at=at())
    added, _, _ = place.session()

    assert list(transactions) == before
    for (data, _, link), new in zip(firsts, [[added], []], strict=True):
        read = data + [one for page, _, _ in crawl(sessions, link) for one in page]
        assert [one["id"] for one in read] == before + new
    assert [page_at(sessions, url)[1] for url in starts] == [6, 4]
    assert sessions.data()[0]["status"] == "COMPLETED"


def theirs(location_id: str, **fields: Any) -> dict[str, Any]:
    """Return a location of the CPO's."""
    return location_document(location_id, country_code="BE", party_id="PGO", **fields)


def pull(owner: Provider, *options: str) -> tuple[int, int]:
    """Let the node read the CPO's locations; return how many were stored and refused."""
    counts = owner.node.ask("partner", "pull", str(owner.partner_id), "--module", "locations", *options)
    return counts["locations"], counts["refused"]


def kept(owner: Provider, name: str) -> Any:
    """Return a location as the node keeps it."""
    return Endpoint(owner, "locations", "RECEIVER").data(f"/BE/PGO/{name}")


def test_links_of_a_partner_are_followed_as_they_are_while_its_list_grows(owner: Provider) -> None:
    def page(name: str, total: int, link: str = "") -> tuple[int, Any, dict[str, str]]:
        headers = {"X-Total-Count": str(total), "X-Limit": "1"}
        if link:
            headers["Link"] = f'<{owner.peer.url}{link}>; rel="next"'
        return 200, enveloped([theirs(name)]), headers

    # Fewer than were asked for, and a new one at the end while we read.
    owner.peer.answer("GET", LIST, body=lambda _: page("P12-1", 2, "/2.2.1/second?cursor=a%2Cb&x="))
    owner.peer.answer("GET", "/2.2.1/second", body=lambda _: page("P12-2", 2, "/2.2.1/third?cursor=c"))
    owner.peer.answer("GET", "/2.2.1/third", body=lambda _: page("P12-3", 3))
    owner.peer.requests.clear()

    assert pull(owner) == (3, 0)

    asked = [(one.path, one.query) for one in owner.peer.received("GET")]
    assert asked == [
        (LIST, {"limit": "100"}),
        ("/2.2.1/second", {"cursor": "a,b", "x": ""}),
        ("/2.2.1/third", {"cursor": "c"}),
    ]
    assert [kept(owner, f"P12-{number}") for number in (1, 2, 3)] == [
        theirs(f"P12-{number}") for number in (1, 2, 3)
    ]


def test_nothing_is_missed_of_a_list_that_shrinks_while_it_is_read(owner: Provider) -> None:
    names = [f"P10-{number}" for number in range(1, 8)]

    def page(request: Recorded) -> tuple[int, Any, dict[str, str]]:
        offset = int(request.query.get("offset", "0"))
        # The first object leaves between the first page and the second.
        listed = names if not offset else names[1:]
        headers = {"X-Total-Count": str(len(listed)), "X-Limit": "2"}
        if offset + 2 < len(listed):
            headers["Link"] = f'<{owner.peer.url}{LIST}?limit=2&offset={offset + 2}>; rel="next"'
        return 200, enveloped([theirs(name) for name in listed[offset : offset + 2]]), headers

    owner.peer.answer("GET", LIST, body=page)
    owner.peer.requests.clear()

    assert pull(owner) == (7, 0)

    offsets = [one.query.get("offset") for one in owner.peer.received("GET", LIST)]
    assert offsets == [None, "2", "1", "3", "5"]
    assert [kept(owner, name) for name in names] == [theirs(name) for name in names]


def test_what_is_read_takes_the_place_of_what_was_known(owner: Provider) -> None:
    known = theirs("P11", name="Old", facilities=["HOTEL"])
    new = theirs("P11", last_updated="2026-01-16T12:00:00Z")
    address = f"{owner.endpoints['locations', 'RECEIVER']}/BE/PGO/P11"
    assert owner.ask("PUT", address, json=known).status_code == 201
    owner.peer.answer("GET", LIST, data=[new])

    assert pull(owner) == (1, 0)
    assert kept(owner, "P11") == new


def test_what_a_whole_list_lacks_is_kept_but_not_confirmed_any_more(owner: Provider) -> None:
    owner.peer.answer("GET", LIST, data=[theirs("GONE"), theirs("STAYS")])
    assert pull(owner) == (2, 0)
    owner.peer.answer("GET", LIST, data=[theirs("STAYS")])

    assert pull(owner, "--whole") == (1, 0)

    assert kept(owner, "GONE") == theirs("GONE")
    operator = Operator(owner.node, "pages")
    marked = operator.browser.get(
        f"{operator.url}/locations/location/",
        params={"unconfirmed_at__isempty": "0", "q": "BE*PGO*"},
        timeout=10,
    ).text
    assert (">GONE<" in marked, ">STAYS<" in marked) == (True, False)

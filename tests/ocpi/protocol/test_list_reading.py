"""Reading a partner's list page by page, whatever its links, totals and pages are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.protocol.client import CallFailed, Reply
from ocpi.protocol.list_reading import BrokenList, Place, pages


def reply(rows: Any, *, headers: Mapping[str, str] | None = None, status_code: int = 1000) -> Reply:
    return Reply(200, status_code, "", rows, headers or {}, is_envelope=True, elapsed_ms=1)


class Scripted:
    """Answers one GET after the other and keeps what was asked."""

    def __init__(self, *replies: Reply | CallFailed) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, dict[str, Any] | None]] = []

    def __call__(self, place: Place) -> Reply:
        self.asked.append((place.address, place.query))
        answer = self.replies.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        return answer


def following(target: str) -> dict[str, str]:
    return {"Link": f'<https://cpo.example/>; rel="first", <{target}>; title="x"; rel="next"'}


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("https://cpo.example/l?cursor=a%2Cb&x=1", "https://cpo.example/l?cursor=a%2Cb&x=1"),
        ("/other?page=2", "https://cpo.example/other?page=2"),
        ("?page=2", "https://cpo.example/l?page=2"),
        ("http://cpo.example:8080/l?page=2", "https://cpo.example/l?page=2"),
    ],
)
def test_follows_the_link_as_it_is(target: str, followed: str) -> None:
    fetch = Scripted(reply([1], headers=following(target)), reply([2]))

    assert list(pages(fetch, "https://cpo.example/l", {"limit": 1})) == [[1], [2]]
    assert fetch.asked == [("https://cpo.example/l", {"limit": 1}), (followed, None)]


@pytest.mark.parametrize("rel", ["rel=next", "rel='next'", 'REL="next"', 'rel="last next"'])
def test_finds_the_next_link_however_it_is_written(rel: str) -> None:
    fetch = Scripted(reply([1], headers={"Link": f"<https://cpo.example/2>;{rel}"}), reply([2]))

    assert list(pages(fetch, "https://cpo.example/l")) == [[1], [2]]


def test_takes_no_other_link_for_the_next() -> None:
    fetch = Scripted(reply([1], headers={"Link": '<https://cpo.example/2>; rel="prev"; title="next"'}))

    assert list(pages(fetch, "https://cpo.example/l")) == [[1]]


@pytest.mark.parametrize("target", ["http://[", "https://[cpo.example]/2", "//[::1/2"])
def test_says_so_when_the_next_link_is_no_address(target: str) -> None:
    fetch = Scripted(reply([1], headers={"Link": f'<{target}>; rel="next"'}))

    with pytest.raises(BrokenList, match=r"^The Link to the next page is no address\.$"):
        list(pages(fetch, "https://cpo.example/l"))


def test_goes_on_by_offset_where_there_is_no_link() -> None:
    total = {"X-Total-Count": "3"}
    fetch = Scripted(reply([1, 2], headers=total), reply([3], headers=total))

    assert list(pages(fetch, "https://cpo.example/l", {"date_from": "x"})) == [[1, 2], [3]]
    assert fetch.asked[1] == ("https://cpo.example/l", {"limit": 100, "date_from": "x", "offset": 2})


@pytest.mark.parametrize(
    ("headers", "rows"),
    [({}, [1, 2, 3, 4, 5]), ({"X-Limit": "2"}, [1, 2, 3, 4, 5]), ({"X-Limit": "9"}, [1, 2])],
)
def test_goes_on_by_offset_without_a_total_while_pages_are_full(
    headers: Mapping[str, str], rows: list[int]
) -> None:
    fetch = Scripted(*(reply(page, headers=headers) for page in ([1, 2], [3, 4], [5])))
    limit = 2 if not headers else 100

    found = [row for page in pages(fetch, "https://cpo.example/l", {"limit": limit}) for row in page]

    assert found == rows
    assert [query and query.get("offset") for _, query in fetch.asked] == [None, 2, 4][: len(fetch.asked)]


def test_ends_where_the_offset_changes_nothing() -> None:
    fetch = Scripted(reply([1, 2]), reply([1, 2]))

    assert list(pages(fetch, "https://cpo.example/l", {"limit": 2})) == [[1, 2]]
    assert fetch.replies == []


def test_goes_on_by_offset_where_the_link_leads_to_another_host() -> None:
    fetch = Scripted(reply([1, 2], headers=following("http://inner:8080/l?offset=2")), reply([3]))

    assert list(pages(fetch, "https://cpo.example/l")) == [[1, 2], [3]]
    assert fetch.asked[1] == ("https://cpo.example/l", {"limit": 100, "offset": 2})


def test_steps_back_when_objects_left_the_list() -> None:
    fetch = Scripted(
        reply([1, 2], headers={"X-Total-Count": "5"}),
        reply([4, 5], headers={"X-Total-Count": "4"}),
        reply([3, 4], headers={"X-Total-Count": "4"}),
        reply([5], headers={"X-Total-Count": "4"}),
    )

    assert list(pages(fetch, "https://cpo.example/l")) == [[1, 2], [3, 4], [5]]
    assert [params and params.get("offset") for _, params in fetch.asked] == [None, 2, 1, 3]


@pytest.mark.parametrize(
    ("left", "again"), [("?offset=2&x=a", "?offset=1&x=a"), ("?x=a&offset=1", "?x=a&offset=0")]
)
def test_steps_back_along_links_that_tell_an_offset(left: str, again: str) -> None:
    fetch = Scripted(
        reply([1, 2], headers={"X-Total-Count": "4"} | following(left)),
        reply([4], headers={"X-Total-Count": "3"}),
        reply([3, 4], headers={"X-Total-Count": "3"}),
    )

    assert list(pages(fetch, "https://cpo.example/l")) == [[1, 2], [3, 4]]
    assert fetch.asked[2] == (f"https://cpo.example/l{again}", None)


def test_follows_links_of_another_kind_on_while_objects_leave() -> None:
    fetch = Scripted(
        reply([1, 2], headers={"X-Total-Count": "3"} | following("?cursor=2&pageoffset=2")),
        reply([3], headers={"X-Total-Count": "2"}),
    )

    assert list(pages(fetch, "https://cpo.example/l")) == [[1, 2], [3]]


@pytest.mark.parametrize(
    "replies",
    [
        [reply([1], headers=following("https://cpo.example/l"))],
        [reply([1], headers=following("?a=1")), reply([2], headers=following("?a=1"))],
        [reply([1], headers=following("?a=1")), reply([], headers=following("?a=2"))],
        [reply([], headers={"X-Total-Count": "9"})],
        [reply([1])],
    ],
)
def test_ends_at_a_repeated_link_and_at_an_empty_page(replies: Sequence[Reply]) -> None:
    fetch = Scripted(*replies)

    assert list(pages(fetch, "https://cpo.example/l"))[:1] in ([], [[1]])
    assert fetch.replies == []


@pytest.mark.parametrize("reason", ["too_large", "timeout"])
def test_asks_for_half_as_much_when_a_page_was_too_much(reason: str) -> None:
    too_much = CallFailed(reason, "")
    fetch = Scripted(
        too_much,
        reply([1, 2], headers=following("?page=2")),
        too_much,
        reply([3], headers=following("?page=3")),
        reply([4]),
    )

    assert list(pages(fetch, "https://cpo.example/l", {"date_from": "x"})) == [[1, 2], [3], [4]]
    assert fetch.asked == [
        ("https://cpo.example/l", {"limit": 100, "date_from": "x"}),
        ("https://cpo.example/l", {"limit": 50, "date_from": "x", "offset": 0}),
        ("https://cpo.example/l?page=2", None),
        ("https://cpo.example/l", {"limit": 25, "date_from": "x", "offset": 2}),
        ("https://cpo.example/l?page=3", None),
    ]


@pytest.mark.parametrize(
    ("reason", "limits"),
    [("too_large", [100, 50, 25, 12, 6]), ("timeout", [100, 50, 25, 12, 6]), ("unreachable", [100])],
)
def test_gives_up_when_less_does_not_help(reason: str, limits: list[int]) -> None:
    fetch = Scripted(*[CallFailed(reason, "")] * 9)

    with pytest.raises(CallFailed, match=reason):
        list(pages(fetch, "https://cpo.example/l"))

    assert [params and params["limit"] for _, params in fetch.asked] == limits


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (reply([1], headers=following("https://evil.example/l")), "another host: https://evil.example/l"),
        (reply([1], headers=following("//evil.example/l")), "another host: //evil.example/l"),
        (reply([1], headers={"X-Total-Count": "9"}), "by offset is the page before"),
        (reply({"id": 1}), "no list"),
        (reply(None), "no list"),
        (reply([1], status_code=2001), "OCPI 2001"),
    ],
)
def test_says_why_a_list_can_not_be_read(broken: Reply, message: str) -> None:
    with pytest.raises(BrokenList, match=message):
        list(pages(Scripted(broken, broken), "https://cpo.example/l"))


@given(total=st.integers(0, 40), size=st.integers(1, 7), has_link=st.booleans(), turns=st.integers(1, 9))
def test_goes_on_where_an_earlier_reading_was_left_off(
    total: int, size: int, has_link: bool, turns: int
) -> None:
    rows, found = list(range(total)), []
    left: Place | None = None
    calls = 0

    class TurnOver(Exception):
        pass

    def fetch(place: Place) -> Reply:
        nonlocal left, calls
        left = place
        calls += 1
        if calls % (turns + 1) == 0:
            raise TurnOver
        query = dict(parse_qsl(urlsplit(place.address).query)) | (place.query or {})
        start = int(query.get("offset", 0))
        headers = {"X-Total-Count": str(total)}
        if has_link and start + size < total:
            headers["Link"] = f'<?offset={start + size}>; rel="next"'
        return reply(rows[start : start + size], headers=headers)

    for _ in range(50):
        try:
            for page in pages(fetch, "https://cpo.example/l", place=left):
                found += page
            break
        except TurnOver:
            pass

    assert found == rows


@pytest.mark.parametrize(
    ("http_status", "status_code", "is_passing"),
    [
        (429, None, True),
        (503, None, True),
        (500, 3000, True),
        (200, 3000, True),
        (200, 2001, False),
        (404, None, False),
    ],
)
def test_tells_whether_the_partner_may_answer_later(
    http_status: int, status_code: int | None, is_passing: bool
) -> None:
    broken = Reply(http_status, status_code, "", None, {}, is_envelope=bool(status_code), elapsed_ms=1)

    with pytest.raises(BrokenList) as raised:
        list(pages(Scripted(broken), "https://cpo.example/l"))

    assert raised.value.is_passing == is_passing


@given(total=st.integers(0, 40), size=st.integers(1, 7), has_link=st.booleans())
def test_reads_every_row_once(total: int, size: int, has_link: bool) -> None:
    rows = list(range(total))

    def fetch(place: Place) -> Reply:
        query = dict(parse_qsl(urlsplit(place.address).query)) | (place.query or {})
        start = int(query.get("offset", 0))
        headers = {"X-Total-Count": str(total)}
        if has_link and start + size < total:
            headers["Link"] = f'<?offset={start + size}>; rel="next"'
        return reply(rows[start : start + size], headers=headers)

    assert [row for found in pages(fetch, "https://cpo.example/l") for row in found] == rows


steps = st.lists(
    st.tuples(st.sampled_from(["grow", "shrink"]), st.lists(st.integers(0, 60), max_size=6)), max_size=20
)


@given(
    total=st.integers(0, 40),
    size=st.integers(1, 7),
    has_link=st.booleans(),
    steps=steps,
    newest=st.booleans(),
)
def test_misses_no_row_of_a_list_that_grows_or_shrinks_between_pages(
    total: int, size: int, has_link: bool, steps: list[tuple[str, list[int]]], newest: bool
) -> None:
    """In one step the list only grows or only shrinks: both at once can't be told from totals."""
    rows, stayed, turn = list(range(total)), set(range(total)), 0

    def fetch(place: Place) -> Reply:
        nonlocal turn
        if 0 < turn <= len(steps):
            change, numbers = steps[turn - 1]
            for number in numbers:
                if change == "grow":
                    rows.append(1000 * turn + len(rows))
                elif rows:
                    stayed.discard(rows.pop(-1 if newest else number % len(rows)))
        turn += 1
        query = dict(parse_qsl(urlsplit(place.address).query)) | (place.query or {})
        start = int(query.get("offset", 0))
        headers = {"X-Total-Count": str(len(rows))}
        if has_link and start + size < len(rows):
            headers["Link"] = f'<?offset={start + size}>; rel="next"'
        return reply(rows[start : start + size], headers=headers)

    assert stayed <= {row for found in pages(fetch, "https://cpo.example/l") for row in found}

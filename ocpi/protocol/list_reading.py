"""Reading a partner's list page by page (OCPI 2.2.1 transport_and_format, "Pagination")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from ocpi.protocol.client import CallFailed, Reply

USUAL_LIMIT = 100
LEAST_LIMIT = 5
MOST_PAGES = 100_000
_WHOLE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_OFFSET = re.compile(r"(?<=[?&]offset=)\d{1,18}(?![^&#])", re.ASCII)
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_IS_NEXT = re.compile(r""";\s*rel\s*=\s*(?:(["'])(?:[^"']*\s)?next(?:\s[^"']*)?\1|next\b)""", re.IGNORECASE)


class BrokenList(Exception):
    """A partner's list could not be read to its end; the message says why.

    `is_passing` says that the partner may give the same page later.
    """

    is_foreseen = True

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


@dataclass(frozen=True)
class Place:
    """Where a page of a list is: a Link as the partner wrote it, or an address and our query.

    `offset` objects come before it, of `total` as the partner said last; `has_links` says that the partner
    writes Links.
    """

    address: str
    query: dict[str, Any] | None
    offset: int = 0
    total: int | None = None
    has_links: bool = False


def pages(
    fetch: Callable[[Place], Reply],
    url: str,
    params: Mapping[str, Any] | None = None,
    *,
    place: Place | None = None,
) -> Iterator[list[Any]]:
    """Read a partner's list to its end, yielding the data of each page.

    `fetch(place)` makes one GET; by then every page before has been yielded, and a later reading may go on
    at the same `place`. Follows the Link with rel=next as it is, on the same host only; without such a one
    goes on by offset, while X-Total-Count says there is more or, where it says nothing, while pages are full.
    Ends at an empty page, at a Link that was followed before, and where the offset changes nothing. Asks for
    USUAL_LIMIT objects a page, and for half as many after a page that was too large or slow.
    Raises BrokenList for an answer that is no list, and what `fetch` raises.
    """
    own_query: dict[str, Any] = {"limit": USUAL_LIMIT, **(params or {})}
    place = place or Place(url, own_query, offset=int(own_query.get("offset", 0)))
    followed = {url, place.address}
    page_before: list[Any] | None = None
    for _ in range(MOST_PAGES):
        try:
            reply = fetch(place)
        except CallFailed as error:
            own_query = _halved(own_query, error)
            place = _by_offset(place, url, own_query)
            continue
        if not reply.is_success or not isinstance(reply.data, list):
            raise BrokenList(_why(reply), is_passing=_is_passing(reply))
        total = total_of(reply)
        back = _further_back(place, total)
        if back is not None:
            # Links that were followed come up again from there.
            followed.clear()
            place, page_before = back, None
            continue
        if not reply.data:
            return
        link = next_link(reply)
        if place.query is not None and reply.data == page_before:
            # The partner takes no offset; without a Link and a total there may be nothing more.
            if link is None and total is None:
                return
            raise BrokenList(_no_way_on(link))
        yield reply.data
        page_before = reply.data
        place = replace(place, offset=place.offset + len(reply.data), total=total)
        target = None if link is None else _followable(link, place.address)
        if target is not None:
            if target in followed:
                return
            followed.add(target)
            place = replace(place, address=target, query=None, has_links=True)
        elif link is None and _is_last(reply, place, own_query):
            return
        else:
            place = _by_offset(place, url, own_query)
    raise BrokenList(f"The list did not end within {MOST_PAGES} pages.")


def total_of(reply: Reply) -> int | None:
    """Return the X-Total-Count of a page; None without a usable one."""
    return _number(reply, "X-Total-Count")


def next_link(reply: Reply) -> str | None:
    """Return the target of a page's Link with rel=next."""
    for target, parameters in _LINK.findall(reply.headers.get("Link", "")):
        if _IS_NEXT.search(parameters):
            return target
    return None


def _by_offset(place: Place, url: str, query: dict[str, Any]) -> Place:
    return replace(place, address=url, query=query | {"offset": place.offset})


def _halved(query: dict[str, Any], error: CallFailed) -> dict[str, Any]:
    """Return the query with half its limit; raises `error` when that can't help."""
    limit = int(query["limit"]) // 2
    if error.reason not in ("too_large", "timeout") or limit < LEAST_LIMIT:
        raise error
    return query | {"limit": limit}


def _further_back(place: Place, total: int | None) -> Place | None:
    """Return the place that the page has moved up to when objects left the list while we read; else None.

    Spec: OCPI 2.2.1 transport_and_format, NOTE in "Pagination". A Link that names its place in another way
    than by offset, e.g. with a cursor, has its own means against moving objects.
    """
    if total is None or place.total is None or total >= place.total:
        return None
    steps = place.total - total
    place = replace(place, offset=max(0, place.offset - steps), total=total)
    if place.query is not None:
        return replace(place, query=place.query | {"offset": place.offset})
    if not _OFFSET.search(place.address):
        return None
    return replace(
        place, address=_OFFSET.sub(lambda found: str(max(0, int(found[0]) - steps)), place.address)
    )


def _is_last(reply: Reply, place: Place, query: dict[str, Any]) -> bool:
    """Tell whether a page without a Link is the last; `place` is the one behind it."""
    if place.total is not None:
        return place.offset >= place.total
    limit, most = int(query["limit"]), _number(reply, "X-Limit")
    return place.has_links or len(reply.data) < (limit if most is None else min(limit, most))


def _followable(link: str, address: str) -> str | None:
    """Return the absolute next address; None when it leaves the host of the list.

    Raises BrokenList when it is none.
    """
    try:
        here, there = urlsplit(address), urlsplit(urljoin(address, link))
    except ValueError as error:
        raise BrokenList("The Link to the next page is no address.") from error
    if here.hostname != there.hostname:
        return None
    if here.scheme == "https" and there.scheme == "http":
        # Platforms behind a proxy name their inner address.
        there = there._replace(scheme=here.scheme, netloc=here.netloc)
    return there.geturl()


def _number(reply: Reply, header: str) -> int | None:
    text = reply.headers.get(header, "")
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _is_passing(reply: Reply) -> bool:
    return reply.http_status == 429 or reply.http_status >= 500 or reply.status_code == 3000


def _why(reply: Reply) -> str:
    if reply.is_success:
        return "The answer is no list."
    return f"The answer was HTTP {reply.http_status}, OCPI {reply.status_code}: {reply.status_message}"


def _no_way_on(link: str | None) -> str:
    if link is None:
        return "The next page by offset is the page before again."
    return f"The Link to the next page leads to another host: {link[:200]}"

"""Lists, page by page, in both directions (OCPI 2.2.1 transport_and_format, "Pagination")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.db.models import Count, Max, Min, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.protocol.client import CallFailed, Reply
from ocpi.protocol.cursor import OPEN_END, Cursor, checksum, parse_cursor
from ocpi.protocol.envelope import success
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.headers import routing_of
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.times import is_strict, parse_datetime

DEFAULT_LIMIT = 50
MOST_LIMIT = 100
MOST_PAGES = 100_000
LEAST_LIMIT = 5
_WHOLE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_OFFSET = re.compile(r"(?<=[?&]offset=)\d{1,18}(?![^&#])", re.ASCII)
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_IS_NEXT = re.compile(r""";\s*rel\s*=\s*(?:(["'])(?:[^"']*\s)?next(?:\s[^"']*)?\1|next\b)""", re.IGNORECASE)


class BrokenList(Exception):
    """A partner's list could not be read to its end; the message says why."""

    is_foreseen = True


def paginated(
    request: Request,
    rows: QuerySet[Any],
    render: Callable[[list[Any]], list[dict[str, Any]]],
    *,
    url: str,
    now: datetime,
    parts: Sequence[QuerySet[Any]] | None = None,
) -> Response:
    """Answer one page of the rows, oldest first.

    Takes date_from (inclusive) and date_to (exclusive) on `last_updated`, offset and limit from the query;
    X-Total-Count counts what the dates leave, X-Limit is the most that a page holds. `url` is the published
    address of the list: the Link to the next page starts from it, repeats the filters as they came, and
    carries a cursor, so that a late page costs no more than the first. `parts` are the same rows as
    querysets that an index each has in order of key, where one index has not all of them; a row may be in
    several. Raises InvalidParameters.
    """
    query = request.query_params
    limit = min(_number(query, "limit", DEFAULT_LIMIT, least=1), MOST_LIMIT)
    offset = _number(query, "offset", 0)
    before = parse_cursor(query["cursor"]) if "cursor" in query else None
    rows = _filtered(rows, query)
    cursor = _counted(rows, request, before, now_s=int(now.timestamp()))
    if before is not None or offset == 0:
        sources = [rows] if parts is None else [_filtered(part, query) for part in parts]
        keys = _keys(sources, cursor, limit + 1)
    else:
        keys = _keys([rows], cursor, limit + 1, skip=offset) if offset < cursor.total else []
    headers = {"X-Total-Count": str(cursor.total), "X-Limit": str(MOST_LIMIT)}
    if len(keys) > limit:
        keys = keys[:limit]
        repeated = {name: query[name] for name in ("date_from", "date_to", "limit") if name in query}
        position = {"offset": offset + limit, "cursor": replace(cursor, key=keys[-1])}
        headers["Link"] = f'<{url}?{urlencode(repeated | position)}>; rel="next"'
    return success(render(list(rows.filter(pk__in=keys).order_by("pk"))), headers=headers)


def _counted(rows: QuerySet[Any], request: Request, before: Cursor | None, *, now_s: int) -> Cursor:
    """Return the cursor of the page before with a count that stands, or one ahead of the first row.

    With dates it knows the first and last key that fit, lest a page walks past all the rows that don't.
    """
    query = request.query_params
    dates = {name: query[name] for name in ("date_from", "date_to") if name in query}
    routing = routing_of(request)
    filters = checksum(dates | ({"to": "*".join(routing.to_party)} if routing else {}))
    if before is not None and before.is_current(filters=filters, now_s=now_s):
        return before
    first, end = 1, OPEN_END
    if dates:
        found = rows.aggregate(total=Count("pk"), first=Min("pk"), last=Max("pk"))
        total, first = found["total"], found["first"] or first
        if "date_to" in dates:
            end = found["last"] or 0
    else:
        total = rows.count()
    return Cursor(first - 1 if before is None else before.key, end, total, now_s, filters)


def _keys(sources: Sequence[QuerySet[Any]], cursor: Cursor, most: int, *, skip: int = 0) -> list[int]:
    """Return the first keys behind the cursor. Keys alone come out of an index, without the rows."""
    found: set[int] = set()
    for rows in sources:
        behind = rows.filter(pk__gt=cursor.key, pk__lte=cursor.end).order_by("pk")
        found.update(behind.values_list("pk", flat=True)[skip : skip + most])
    return sorted(found)[:most]


def pages(
    fetch: Callable[[str, Mapping[str, Any] | None], Reply],
    url: str,
    params: Mapping[str, Any] | None = None,
) -> Iterator[list[Any]]:
    """Read a partner's list to its end, yielding the data of each page.

    `fetch(url, params)` makes one GET. Follows the Link with rel=next as it is, on the same host only;
    without such a one goes on by offset, while X-Total-Count says there is more or, where it says nothing,
    while pages are full. Ends at an empty page, at a Link that was followed before, and where the offset
    changes nothing. Asks for MOST_LIMIT objects a page, and for half as many after a page that was too large
    or slow. Raises BrokenList for an answer that is no list, and what `fetch` raises.
    """
    own_query: dict[str, Any] = {"limit": MOST_LIMIT, **(params or {})}
    offset = int(own_query.get("offset", 0))
    total: int | None = None
    query: dict[str, Any] | None = own_query
    address, followed = url, {url}
    page_before: list[Any] | None = None
    link: str | None = None
    has_links = False
    for _ in range(MOST_PAGES):
        try:
            reply = fetch(address, query)
        except CallFailed as error:
            own_query = _halved(own_query, error) | {"offset": offset}
            address, query = url, own_query
            continue
        if not reply.is_success or not isinstance(reply.data, list):
            raise BrokenList(_why(reply))
        total_before, total = total, total_of(reply)
        if total is not None and total_before is not None and total < total_before:
            # Objects left the selection while we read, and those behind them moved up (same section, NOTE).
            again = _further_back(address, query, total_before - total)
            if again is not None:
                # Links that were followed come up again from there.
                followed.clear()
                offset = max(0, offset - (total_before - total))
                (address, query), page_before = again, None
                continue
        if not reply.data:
            return
        if reply.data == page_before:
            # The partner takes no offset; without a Link and a total there may be nothing more.
            if link is None and total is None:
                return
            raise BrokenList(_no_way_on(link))
        yield reply.data
        offset += len(reply.data)
        link = _next_link(reply.headers)
        target = None if link is None else _followable(link, address)
        has_links = has_links or target is not None
        if target is not None:
            address, query, page_before = target, None, None
            if address in followed:
                return
            followed.add(address)
        elif link is None and (
            offset >= total if total is not None else has_links or _is_short(reply, own_query)
        ):
            return
        else:
            address, query, page_before = url, own_query | {"offset": offset}, reply.data
    raise BrokenList(f"The list did not end within {MOST_PAGES} pages.")


def _halved(query: dict[str, Any], error: CallFailed) -> dict[str, Any]:
    """Return the query with half its limit; raises `error` when that can't help."""
    limit = int(query["limit"]) // 2
    if error.reason not in ("too_large", "timeout") or limit < LEAST_LIMIT:
        raise error
    return query | {"limit": limit}


def _further_back(
    address: str, query: dict[str, Any] | None, steps: int
) -> tuple[str, dict[str, Any] | None] | None:
    """Return the same request from so many objects further back; None when it tells no offset.

    A Link that names its place in another way, e.g. with a cursor, has its own means against moving objects.
    """
    if query is not None:
        return address, query | {"offset": max(0, int(query.get("offset", 0)) - steps)}
    if not _OFFSET.search(address):
        return None
    return _OFFSET.sub(lambda found: str(max(0, int(found[0]) - steps)), address), None


def _filtered(queryset: QuerySet[Any], query: Mapping[str, str]) -> QuerySet[Any]:
    date_from, date_to = _moment(query, "date_from"), _moment(query, "date_to")
    if date_from and date_to and date_from > date_to:
        raise InvalidParameters("date_from: must not be after date_to")
    if date_from:
        queryset = queryset.filter(last_updated__gte=date_from)
    if date_to:
        queryset = queryset.filter(last_updated__lt=date_to)
    return queryset


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        moment = parse_datetime(query[name])
    except ValueError as error:
        raise InvalidParameters(f"{name}: {error}") from error
    if not is_strict(query[name]):
        tolerate(Quirk.DATE_FORMS, f"{name}: must be like 2026-01-31T12:00:00Z")
    return moment


def _number(query: Mapping[str, str], name: str, default: int, *, least: int = 0) -> int:
    if name not in query:
        return default
    if not _WHOLE_NUMBER.fullmatch(query[name]) or int(query[name]) < least:
        raise InvalidParameters(f"{name}: must be a whole number, at least {least}")
    return int(query[name])


def _why(reply: Reply) -> str:
    if reply.is_success:
        return "The answer is no list."
    return f"The answer was HTTP {reply.http_status}, OCPI {reply.status_code}: {reply.status_message}"


def total_of(reply: Reply) -> int | None:
    """Return the X-Total-Count of a page; None without a usable one."""
    text = reply.headers.get("X-Total-Count", "")
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _next_link(headers: Mapping[str, str]) -> str | None:
    for target, parameters in _LINK.findall(headers.get("Link", "")):
        if _IS_NEXT.search(parameters):
            return target
    return None


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


def _is_short(reply: Reply, query: dict[str, Any]) -> bool:
    """Tell whether a page holds less than was asked for, and less than the partner's most."""
    most = reply.headers.get("X-Limit", "")
    limit = int(query["limit"])
    return len(reply.data) < (min(limit, int(most)) if _WHOLE_NUMBER.fullmatch(most) else limit)


def _no_way_on(link: str | None) -> str:
    if link is None:
        return "The next page by offset is the page before again."
    return f"The Link to the next page leads to another host: {link[:200]}"

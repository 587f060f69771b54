"""Answering lists page by page (OCPI 2.2.1 transport_and_format, "Pagination")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.protocol.cursor import OPEN_END, Cursor, checksum, parse_cursor
from ocpi.protocol.envelope import success
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.headers import routing_of
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.times import is_strict, parse_datetime

DEFAULT_LIMIT = 50
MOST_LIMIT = 100
_WHOLE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


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

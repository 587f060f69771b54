"""Lists: sessions and locations as their owner tells them, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ocpi.conformance.exchange import Exchange
from ocpi.conformance.requirements import (
    Level,
    NotTried,
    Part,
    Run,
    expect,
    expect_http,
    expect_status,
    expect_success,
)
from ocpi.protocol.times import format_datetime, is_strict, parse_datetime

EPOCH = "2015-01-01T00:00:00Z"
REQUEST, RESPONSE = (f'transport_and_format, "Paginated {one}"' for one in ("Request", "Response"))
# What each object must have, of those fields that a partner works with.
REQUIRED = {
    "sessions": [
        *("country_code", "party_id", "id", "start_date_time", "kwh", "cdr_token", "auth_method"),
        *("location_id", "evse_uid", "connector_id", "currency", "status", "last_updated"),
    ],
    "locations": [
        *("country_code", "party_id", "id", "publish", "address", "city", "country", "coordinates"),
        *("time_zone", "last_updated"),
    ],
}


def _page(run: Run, module: str, **params: str) -> Exchange:
    run.needs_registration()
    return run.platform.ask("GET", run.endpoint(module, "SENDER"), token=run.token, params=params)


def _rows(exchange: Exchange) -> list[Any]:
    data = expect_success(exchange)
    expect(isinstance(data, list), "data: a list", data)
    return list(data)


def _link(exchange: Exchange) -> str:
    match = re.search(r'<([^>]*)>\s*;[^,]*rel="?next', exchange.headers.get("Link", ""))
    return match[1] if match else ""


def _whole(run: Run, module: str) -> list[Any]:
    rows = _rows(_page(run, module, date_from=EPOCH))
    if not rows:
        raise NotTried(f"the platform shows us no {module}")
    return rows


def lists_of(module: str) -> Part:
    """Return the requirements of a module's list."""
    part = Part(f"{module.capitalize()}: the list of their owner")
    checks: list[tuple[str, Level, str, Callable[[Run, str], None]]] = [
        ("P1", Level.MUST, REQUEST, _takes_a_list),
        ("P8", Level.MUST, RESPONSE, _tells_its_limits),
        ("P5", Level.MUST, RESPONSE, _goes_on_by_link),
        ("P2", Level.MUST, REQUEST, _includes_date_from),
        ("P3", Level.MUST, REQUEST, _excludes_date_to),
        ("P13", Level.SHOULD, REQUEST, _ends_behind_the_last),
        ("S4", Level.MUST, "status_codes", _names_a_wrong_parameter),
        ("S12", Level.MUST, "status_codes", _refuses_other_methods),
        ("R4", Level.MUST, 'transport_and_format, "Message Routing"', _swaps_routing_headers),
        ("Y1", Level.MUST, 'types, "DateTime"', _writes_objects_whole),
    ]
    for id, level, section, check in checks:

        def bound(run: Run, check: Callable[[Run, str], None] = check) -> None:
            check(run, module)

        bound.__doc__ = (check.__doc__ or "").format(module=module)
        part.requirement(id, level, section)(bound)
    return part


def _takes_a_list(run: Run, module: str) -> None:
    """GET {module} with date_from answers a list."""
    _rows(_page(run, module, date_from=EPOCH))


def _tells_its_limits(run: Run, module: str) -> None:
    """The list tells X-Total-Count and X-Limit, the most that a page holds."""
    few, many = (
        _page(run, module, date_from=EPOCH, limit="1"),
        _page(run, module, date_from=EPOCH, limit="9999"),
    )
    for name in ("X-Total-Count", "X-Limit"):
        expect(few.headers.get(name, "").isdecimal(), f"{name}: a number", few.headers.get(name))
    limits = few.headers["X-Limit"], many.headers.get("X-Limit")
    expect(limits[0] == limits[1], "X-Limit whatever limit was asked for", limits)
    expect(len(_rows(many)) <= int(few.headers["X-Limit"]), "no more objects than X-Limit", len(_rows(many)))


def _goes_on_by_link(run: Run, module: str) -> None:
    """A page that is not the last has an absolute Link that repeats the filters; following it finds all."""
    first = _page(run, module, date_from=EPOCH, limit="1")
    if int(first.headers.get("X-Total-Count", "0")) < 2:
        raise NotTried(f"fewer than two {module} are shown to us")
    seen, page = _rows(first), first
    for _ in range(500):
        link = _link(page)
        if not link:
            break
        expect(link.startswith(("http://", "https://")), "an absolute Link", link)
        query = parse_qs(urlsplit(link).query)
        expect(
            query.get("date_from") == [EPOCH] and query.get("limit") == ["1"], "the filters repeated", link
        )
        page = run.platform.ask("GET", link, token=run.token)
        seen += _rows(page)
    keys = [(one.get("party_id"), one.get("id")) for one in seen]
    total = int(first.headers["X-Total-Count"])
    expect(len(set(keys)) == len(keys), "each object once", len(keys) - len(set(keys)))
    expect(len(keys) >= min(total, 500), f"{total} objects", len(keys))


def _includes_date_from(run: Run, module: str) -> None:
    """date_from includes what was updated at that moment."""
    one = _whole(run, module)[0]
    found = [row["id"] for row in _rows(_page(run, module, date_from=one["last_updated"]))]
    if one["id"] not in found and "Link" in run.platform.take_log()[-1].headers:
        raise NotTried("it is not on the first page")
    expect(one["id"] in found, one["id"], found)


def _excludes_date_to(run: Run, module: str) -> None:
    """date_to excludes what was updated at that moment."""
    one = _whole(run, module)[0]
    begin = parse_datetime(one["last_updated"]) - timedelta(seconds=1)
    rows = _rows(_page(run, module, date_from=_text(begin), date_to=one["last_updated"]))
    expect(one["id"] not in [row["id"] for row in rows], f"not {one['id']}", [row["id"] for row in rows])


def _ends_behind_the_last(run: Run, module: str) -> None:
    """An offset behind the last object answers an empty list without Link."""
    page = _page(run, module, date_from=EPOCH, offset="100000000")
    expect(_rows(page) == [] and not _link(page), "[] without Link", page)


def _names_a_wrong_parameter(run: Run, module: str) -> None:
    """A query parameter that makes no sense gets HTTP 200 with OCPI 2001."""
    for params in ({"limit": "many"}, {"offset": "-1"}, {"date_from": "yesterday"}):
        expect_status(_page(run, module, **params), 2001, 2000)


def _refuses_other_methods(run: Run, module: str) -> None:
    """DELETE and POST on the list get HTTP 405."""
    run.needs_registration()
    for method in ("DELETE", "POST"):
        expect_http(run.platform.ask(method, run.endpoint(module, "SENDER"), token=run.token), 405)


def _swaps_routing_headers(run: Run, module: str) -> None:
    """The answer's routing headers are those of the request, swapped."""
    rows = _whole(run, module)
    ours, theirs = run.party, (rows[0]["country_code"], rows[0]["party_id"])
    headers = {
        "OCPI-to-country-code": theirs[0],
        "OCPI-to-party-id": theirs[1],
        "OCPI-from-country-code": ours[0],
        "OCPI-from-party-id": ours[1],
    }
    answer = run.platform.ask(
        "GET",
        run.endpoint(module, "SENDER"),
        token=run.token,
        params={"date_from": EPOCH, "limit": "1"},
        headers=headers,
    )
    expect_success(answer)
    got = [
        answer.headers.get(f"OCPI-{way}-{what}")
        for way in ("to", "from")
        for what in ("country-code", "party-id")
    ]
    expect(got == [*ours, *theirs], f"to {ours}, from {theirs}", got)


def _writes_objects_whole(run: Run, module: str) -> None:
    """Each object has its required fields, moments in UTC with Z, and numbers as numbers."""
    for row in _whole(run, module):
        missing = [name for name in REQUIRED[module] if row.get(name) in (None, "")]
        expect(not missing, "every required field", f"{row.get('id')} lacks {missing}")
        moment = str(row["last_updated"])
        expect(
            is_strict(moment) and moment.endswith("Z"), "last_updated with Z, at most milliseconds", moment
        )
        if module == "sessions":
            kwh = row["kwh"]
            expect(isinstance(kwh, int | float) and not isinstance(kwh, bool), "kwh: a JSON number", kwh)


def _text(moment: datetime) -> str:
    return format_datetime(moment)

"""Requests to every address of OCPI, with anything in them: made from the urlpatterns that route them."""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from chargingprofiles.objects import ACTIVE_CHARGING_PROFILE, RESULT_WITH_PROFILE, SET_CHARGING_PROFILE
from config.endpoints import ENDPOINTS
from locations.objects import CONNECTOR, EVSE, LOCATION
from ocpi.partners.documents import CREDENTIALS
from sessions.objects import CHARGING_PREFERENCES, SESSION
from tests.fuzz.strategies import HOST, raw_bodies

REQUEST_ID = "00000000-0000-4000-8000-00000000000f"
# What stands in a path for each name of the urlpatterns; whatever else is drawn beside it.
KNOWN = {
    "country_code": ["NL", "nl", "DE"],
    "party_id": ["PTN", "ptn", "SCS"],
    "location_id": ["LOC1", "loc1", "PULLED"],
    "evse_uid": ["LOC1-EVSE1", "E1"],
    "connector_id": ["1"],
    "session_id": ["OURS", "ours", "THEIRS"],
    "request_id": [REQUEST_ID],
}
ODD_SEGMENTS = [
    "",
    ".",
    "..",
    "%2F",
    "%2f..%2f",
    "%00",
    "%",
    "%ED%A0%80",
    "%FF",
    "ü",
    "%C3%BC",
    "a b",
    "'",
    ";x=1",
]
ODD_SEGMENTS += [
    "%0d%0aX-Evil:1",
    "\\",
    "*",
    "{}",
    "x" * 3000,
    "💡",
    "%ee%80%af",
    "charging_preferences",
    "result",
]
QUERIES = st.sampled_from(
    [
        *(
            "limit",
            "offset",
            "after",
            "date_from",
            "date_to",
            "counted",
            "response_url",
            "duration",
            "type",
            "ä",
            "",
        ),
        *("total", "cursor", "format", "page"),
    ]
)
ODD_VALUES = [
    "",
    "0",
    "-1",
    "1",
    "99999999999999999999",
    "9" * 18,
    "9" * 400,
    "abc",
    "%00",
    "%FF",
    "NaN",
    "1e9",
    "٣",
]
ODD_VALUES += [
    "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-13-01",
    "%F0",
]
ODD_VALUES += [
    f"{HOST}/r",
    quote(f"{HOST}/r?a=1&b=2", safe=""),
    f"{HOST}/r?a=1&duration=9",
    "http://[",
    "//x",
    "600",
]
ODD_HEADERS = [
    "",
    "NL",
    "nod",
    "SCS",
    "ü",
    "\x7f",
    "x" * 5000,
    "1",
    "a, b",
    "null",
    "application/json",
    "text/plain",
]
ODD_HEADERS += [
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-7",
    "gzip",
    "DE",
]
HEADERS = [
    *(
        "OCPI_TO_COUNTRY_CODE",
        "OCPI_TO_PARTY_ID",
        "OCPI_FROM_COUNTRY_CODE",
        "OCPI_FROM_PARTY_ID",
        "ACCEPT",
        "HOST",
    ),
    *(
        "X_REQUEST_ID",
        "X_CORRELATION_ID",
        "X_HTTP_METHOD_OVERRIDE",
        "X_FORWARDED_FOR",
        "X_FORWARDED_HOST",
        "COOKIE",
    ),
    *("CONTENT_ENCODING", "TRANSFER_ENCODING", "EXPECT", "RANGE", "IF_MATCH", "ACCEPT_LANGUAGE", "ORIGIN"),
]
METHODS = ["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", ""]
OBJECTS = {
    "credentials": [CREDENTIALS],
    "locations": [LOCATION, EVSE, CONNECTOR],
    "sessions": [SESSION, CHARGING_PREFERENCES],
    "chargingprofiles": [SET_CHARGING_PROFILE, ACTIVE_CHARGING_PROFILE, RESULT_WITH_PROFILE],
    "versions": [CREDENTIALS],
}


def named_groups(pattern: str) -> tuple[str, list[str]]:
    """Return a urlpattern as a format string, and the names of its groups, which may hold groups."""
    template, names, depth, at = "", [], 0, 0
    pattern = pattern.removeprefix("^").removesuffix("$").removesuffix("/?").replace("(?!result/)", "")
    while at < len(pattern):
        if depth == 0 and pattern.startswith("(?P<", at):
            names.append(pattern[at + 4 : pattern.index(">", at)])
            template += "{}"
        character = pattern[at]
        depth += (character == "(") - (character == ")")
        if depth == 0 and character != ")":
            template += character
        at += 1
    return template, names


def routes() -> list[tuple[str, str, list[str]]]:
    """Return (module, template of the path, names of its segments) for every address of OCPI."""
    found: list[tuple[str, str, list[str]]] = [
        ("versions", "/ocpi/versions", []),
        ("versions", "/ocpi/2.2.1", []),
    ]
    for endpoint in ENDPOINTS:
        for one in import_module(endpoint.urls).urlpatterns:
            template, names = named_groups(one.pattern._regex)
            found.append((endpoint.identifier, f"/ocpi/2.2.1/{endpoint.path}{template}", names))
    return found


ROUTES = routes()


def text_header(text: str) -> str:
    """Return a header as WSGI hands it over."""
    return text.encode().decode("latin-1")


@st.composite
def calls(draw: st.DrawFn, tokens: list[str]) -> dict[str, Any]:
    """Return the arguments of a request to one of our addresses."""
    module, template, names = draw(st.sampled_from(ROUTES))
    odd = st.sampled_from(ODD_SEGMENTS) | st.text(max_size=40)
    segments = [draw(st.sampled_from(KNOWN[name]) if draw(st.integers(0, 4)) else odd) for name in names]
    path = template.format(*segments) + draw(st.sampled_from(["", "", "", "/", "//", "/x", "%2F", "."]))
    values = st.sampled_from(ODD_VALUES) | st.text(max_size=20)
    query = "&".join(f"{draw(QUERIES)}={draw(values)}" for _ in range(draw(st.integers(0, 3))))
    token = draw(st.sampled_from([*tokens, *tokens, *tokens, "nobody", ""]))
    encoded = base64.b64encode(token.encode()).decode()
    authorization = draw(
        st.sampled_from([*[f"Token {encoded}"] * 6, f"Token {token}", encoded, "Token", "Basic eDp5"])
        | st.text(max_size=30)
    )
    headers = {
        f"HTTP_{name}": text_header(draw(st.sampled_from(ODD_HEADERS) | st.text(max_size=20)))
        for name in draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique=True))
    }
    return {
        "method": draw(st.sampled_from([*METHODS[:5] * 4, *METHODS])),
        "path": path,
        "QUERY_STRING": text_header(query),
        "data": draw(raw_bodies(draw(st.sampled_from(OBJECTS[module])))),
        "content_type": draw(st.sampled_from(["application/json"] * 4 + ODD_HEADERS[-6:])),
        "REQUEST_URI": draw(st.sampled_from([path, path, path, quote(path), f"http://[{path}", ""])),
        "HTTP_AUTHORIZATION": text_header(authorization),
        **headers,
    }

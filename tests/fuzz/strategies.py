"""What the fuzz tests draw from: valid OCPI objects, made from the checkers themselves, and broken ones.

`valid(checker)` walks `Object.fields`; `mutated(checker)` spoils one or more places of such a document;
`raw_bodies(checker)` are bytes that need not be JSON at all.
"""

from __future__ import annotations

import copy
import json
from datetime import datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from locations.objects import PUBLISH_TOKEN_TYPE
from ocpi.protocol.types import (
    Boolean,
    CiString,
    DateTime,
    Enum,
    Field,
    Integer,
    ListOf,
    Number,
    Object,
    Optional,
    String,
    Url,
    fold,
)

# What our reader of JSON lets through; names of fields may be any of it.
READABLE = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
ASCII = st.characters(min_codepoint=33, max_codepoint=126)
# Longer texts find nothing more and make each example slow; one in the table tests has full length.
LONG = 12
# Nothing in them is ever called: port 9 of this machine refuses at once.
HOST = "http://127.0.0.1:9"
MOMENTS = st.datetimes(min_value=datetime(2001, 1, 1), max_value=datetime(2025, 12, 31))  # noqa: DTZ001
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


def _moment(moment: Any, ending: str) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + ending


def _degrees(most: int) -> st.SearchStrategy[str]:
    return st.integers(-most * 10**6, most * 10**6).map(lambda millionths: f"{millionths / 10**6:.6f}")


def _texts(longest: int, alphabet: Any, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=min(longest, LONG))


# Texts that a rule of their object reads, by the field's name.
NAMED: dict[str, st.SearchStrategy[Any]] = {
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "country_code": st.text("ABCdeNL", min_size=2, max_size=2),
    "party_id": st.text("ABCde123", min_size=3, max_size=3),
    "token": _texts(64, ASCII, 1),
}
TOKENS = st.sampled_from(
    [
        {"uid": "TAG", "type": "RFID"},
        {"visual_number": "DE-1", "issuer": "Fleet"},
        {"group_id": "FLEET", "x_unknown": [1]},
    ]
)
UNIQUE = {"evses": "uid", "connectors": "id"}
UNKNOWN = st.dictionaries(
    st.text(READABLE, max_size=8).map("x_{}".format),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(READABLE, max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(READABLE, max_size=5), inner, max_size=3)
        ),
        max_leaves=4,
    ),
    max_size=1,
)


def _value(name: str, field: Field) -> st.SearchStrategy[Any]:
    """Return values of a field that stay as they are when they are checked."""
    if isinstance(field, Optional):
        return _value(name, field.field)
    if isinstance(field, Object):
        return TOKENS if field is PUBLISH_TOKEN_TYPE else valid(field)
    if isinstance(field, ListOf):
        return _list(name, field)
    if isinstance(field, DateTime):
        return st.builds(_moment, MOMENTS, st.sampled_from(["Z", "", ".5Z", ".25", ".123Z"]))
    if name in ("period_begin", "period_end"):
        return TIMES
    if name in NAMED:
        return NAMED[name]
    if isinstance(field, Enum):
        known = sorted(field.values)
        return st.sampled_from([*known, "NOT_KNOWN_YET"] if field.is_open else known)
    if isinstance(field, Boolean):
        return st.booleans()
    if isinstance(field, Integer):
        return st.integers(
            field.least if field.least is not None else -(10**6), field.most if field.most else 10**6
        )
    if isinstance(field, Number):
        least = 0 if field.least is not None else -(10**9)
        return st.integers(least, 10**9).map(lambda n: n / 10**4) | st.integers(least, 10**9)
    if isinstance(field, Url):
        return _texts(LONG, ASCII).map(lambda path: f"{HOST}/{path}")
    if isinstance(field, CiString):
        return _texts(field.longest, ASCII, 1)
    assert isinstance(field, String), field
    return _texts(field.longest, st.characters(exclude_categories=("Cc", "Cs")))


def _list(name: str, field: ListOf) -> st.SearchStrategy[list[Any]]:
    id_name = UNIQUE.get(name)
    unique_by = (lambda one: fold(one[id_name])) if id_name else None
    if name == "roles":
        unique_by = lambda one: fold(one["country_code"] + one["party_id"])  # noqa: E731
    return st.lists(_value(name, field.field), min_size=field.least, max_size=2, unique_by=unique_by)


@cache
def valid(checker: Object) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects that `checker` takes and leaves as they are; some have fields nobody knows."""
    # Deferred, so that Hypothesis names it in a word where it says what it draws from.
    return st.deferred(lambda: _valid(checker))


@cache
def _valid(checker: Object) -> st.SearchStrategy[dict[str, Any]]:
    required = {
        name: _value(name, field) for name, field in checker.fields.items() if not isinstance(field, Optional)
    }
    optional = {
        name: _value(name, field) for name, field in checker.fields.items() if isinstance(field, Optional)
    }
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda document, others: {**document, **others}, known, UNKNOWN)


# Whatever JSON can say, as our own reader lets it through.
ODDITIES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e300, -1e-300, 10**60, 10**13, "", " ", "0", "-1", "NaN", "1e400"),
    *("x" * 1000, "ü" * 300, "\u202e", "\U0001f50c", "a\nb", "\x07", "\ufeff", "../..", "%00", "A" * 256),
    *([], {}, [None], [[]], [{}], {"": None}, {"id": {}}, [[[[]]]], ["x"] * 200, "2026-13-45T99:99:99Z"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2099-01-01T00:00:00Z", 1767323045),
    *("#NA", "#na", "RESERVED", "active", "http://[", "https://127.0.0.1:9/ x", "٣", "²"),
]


@st.composite
def odd_values(draw: st.DrawFn) -> Any:
    """Return one of them, the caller's to change."""
    return copy.deepcopy(ODDITIES[draw(st.integers(0, len(ODDITIES) - 1))])


ODD = odd_values()


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Return every place of a document as (container, key)."""
    if isinstance(document, dict):
        own: list[tuple[Any, Any]] = [(document, key) for key in document]
    elif isinstance(document, list):
        own = [(document, number) for number in range(len(document))]
    else:
        return []
    return own + [place for container, key in own for place in _places(container[key])]


@st.composite
def mutated(draw: st.DrawFn, checker: Object) -> Any:
    """Return a valid object spoiled at one to three places, or something else altogether."""
    document = copy.deepcopy(draw(valid(checker)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(document)
        if not places:
            return draw(ODD)
        container, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["drop", "odd", "odd", "odd", "twice", "extra", "wrap"]))
        if kind == "drop":
            del container[key]
        elif kind == "odd":
            container[key] = draw(ODD)
        elif kind == "wrap":
            container[key] = [container[key]]
        elif kind == "twice" and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif isinstance(container, dict):
            container[draw(st.text(READABLE, max_size=12) | st.sampled_from(sorted(checker.fields)))] = draw(
                ODD
            )
    return document


# The envelope of an answer, for bodies that are spoiled as a whole.
RESPONSE = Object(
    {
        "status_code": Integer(),
        "status_message": Optional(String(100)),
        "timestamp": DateTime(),
        "data": Optional(ListOf(Object({"id": CiString(36)}))),
    }
)
# Texts that are JSON to some readers only, or to none.
STRANGE = st.sampled_from(
    [
        *(
            b"",
            b" ",
            b"null",
            b"NaN",
            b"-Infinity",
            b"1e400",
            b"9" * 400,
            b"-" + b"9" * 400,
            b"[1,]",
            b"{",
            b'"',
        ),
        *(
            b'"\\ud800"',
            b'"\\u0000"',
            b'{"a":1,"a":2}',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            b"[" * 5000,
            b'{"a":' * 99,
        ),
        *(
            b"[" * 16 + b"]" * 16,
            b"[" * 17 + b"]" * 17,
            b'"' + b"x" * 300_000 + b'"',
            b"0x10",
            b"'a'",
            b"1 2",
        ),
    ]
)


@st.composite
def raw_bodies(draw: st.DrawFn, checker: Object) -> bytes:
    """Return a body: an object, a spoiled one, one with strange JSON at some place, or any bytes."""
    kind = draw(st.sampled_from(["valid", "mutated", "mutated", "strange", "cut", "bytes"]))
    if kind == "strange":
        return draw(STRANGE)
    if kind == "bytes":
        return draw(st.binary(max_size=64))
    document = draw(valid(checker) if kind == "valid" else mutated(checker))
    text = json.dumps(document).encode()
    if kind == "cut":
        start = draw(st.integers(0, len(text)))
        return text[:start] + draw(STRANGE) + text[start + draw(st.integers(0, 9)) :]
    return text

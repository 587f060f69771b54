"""JSON without what two parsers would read differently (RFC 8259, sections 4, 6 and 8)."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpi.protocol.errors import BrokenJson
from ocpi.protocol.times import format_datetime

MOST_DEPTH = 16
# A double such as 16.1, written out to its last binary digit, has 50.
LONGEST_NUMBER = 64
# An unclosed string runs to the end: looking again from each quote in it would take forever.
_STRING = re.compile(r'"(?:[^"\\]+|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[{\]}]")


def loads(raw: bytes) -> Any:
    """Return what a JSON text means.

    Raises BrokenJson for what is not JSON, and for NaN and Infinity, a key twice in one object, more than 16
    levels, numbers over 64 characters, NUL characters and halves of surrogate pairs.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenJson("The body is not UTF-8.") from error
    if not text.strip():
        raise BrokenJson("The body is empty.")
    _check_depth(text)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise BrokenJson(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from error
    if "\\u" in text:
        _check_characters(document)
    return document


def dumps(value: Any) -> bytes:
    """Write JSON in UTF-8; Decimals become numbers, datetimes OCPI's DateTime. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_default)
    # Half a surrogate pair can't be UTF-8, but its escape is JSON.
    return text.encode("utf-8", "backslashreplace")


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return format_datetime(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MOST_DEPTH:
            raise BrokenJson(f"The body is nested deeper than {MOST_DEPTH} levels.")


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise BrokenJson("The body has a NUL character.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BrokenJson("The body has half a surrogate pair.")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_characters(key)
            _check_characters(member)
    elif isinstance(value, list):
        for member in value:
            _check_characters(member)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BrokenJson(f"The key {key[:50]!r} occurs twice in one object.")
            seen.add(key)
    return document


def _constant(name: str) -> Any:
    raise BrokenJson(f"{name} is not a JSON number.")


def _integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _number(text: str) -> float:
    _check_length(text)
    number = float(text)
    if not math.isfinite(number):
        raise BrokenJson("A number is too large.")
    return number


def _check_length(number: str) -> None:
    if len(number) > LONGEST_NUMBER:
        raise BrokenJson(f"A number is longer than {LONGEST_NUMBER} characters.")

"""OCPI's DateTime: RFC 3339 in UTC, at most milliseconds (OCPI 2.2.1 types, "DateTime type")."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_STRICT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z?", re.ASCII)
# A "+" in a query string arrives as a space.
_TOLERATED = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r"(?:[Zz]| ?([+\- ])(\d\d):?(\d\d)?)?",
    re.ASCII,
)


def parse_datetime(text: str) -> datetime:
    """Return the moment in UTC, cut to milliseconds.

    Also takes what other platforms send: offsets, microseconds, a space for T, no seconds.
    Raises ValueError for anything else.
    """
    match = _TOLERATED.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError("must be a date and time like 2026-01-31T12:00:00Z")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    milliseconds = int(f"{fraction or '0':0<3}"[:3])
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    try:
        # A leap second becomes the second before it.
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            min(int(second or 0), 59) if int(second or 0) <= 60 else 60,
            milliseconds * 1000,
            tzinfo=timezone(-offset if sign == "-" else offset),
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a date and time that exists, like 2026-01-31T12:00:00Z") from error


def format_datetime(moment: datetime) -> str:
    """Write an aware moment as OCPI does, 2026-01-31T12:00:00Z or ….123Z. Raises ValueError without zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    moment = moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    milliseconds = moment.microsecond // 1000
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def is_strict(text: str) -> bool:
    """Tell whether a text has one of the forms that OCPI allows, with or without the Z."""
    return _STRICT.fullmatch(text) is not None

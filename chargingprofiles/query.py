"""The parameters of GET and DELETE, read from the raw query string.

`response_url` is itself an address with a query, and many platforms don't percent-encode it; the example in
OCPI 2.2.1 mod_charging_profiles, "GET Method", doesn't either.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import Quirk, tolerate

MOST_DURATION_S = 7 * 24 * 3600

_RESPONSE_URL = re.compile(r"(?:^|&)response_url=")
_DURATION = re.compile(r"(?:^|&)duration=([^&]*)")
_WRITTEN_OUT = re.compile(r"https?://", re.IGNORECASE)
_TRAILING_DURATION = re.compile(r"&duration=([^&]*)$")


def response_url_and_duration(query: str) -> tuple[str, str]:
    """Return response_url, decoded only when it was encoded, and the text of duration ("" when absent).

    Raises InvalidParameters when response_url is missing, or not encoded by a partner that has to.
    """
    found = _RESPONSE_URL.search(query)
    if not found or found.end() == len(query):
        raise InvalidParameters("response_url: is required.")
    before, rest = query[: found.start()], query[found.end() :]
    first, _, others = rest.partition("&")
    duration = _DURATION.search(before)
    is_written_out = bool(_WRITTEN_OUT.match(first))
    if not is_written_out or "?" not in first:
        duration = duration or _DURATION.search(others)
        url = first if is_written_out and "%3F" not in first.upper() else unquote(first)
        return url, unquote(duration[1]) if duration else ""
    tolerate(Quirk.UNENCODED_RESPONSE_URL, "response_url: must be percent-encoded.")
    # Written out, with a query of its own: all that follows is part of it, but for a duration at its end.
    if duration is None and (duration := _TRAILING_DURATION.search(rest)):
        rest = rest[: duration.start()]
    return rest, unquote(duration[1]) if duration else ""


def seconds(text: str) -> int:
    """Return the duration to look ahead, in seconds.

    Raises InvalidParameters when it is missing or no whole number from 1 to seven days.
    """
    if not text:
        raise InvalidParameters("duration: is required.")
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_DURATION_S:
        raise InvalidParameters(f"duration: must be a whole number of seconds from 1 to {MOST_DURATION_S}.")
    return int(text)

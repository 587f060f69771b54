"""What other platforms get wrong and we take all the same, until an operator refuses it from a partner.

The set that is refused belongs to the partner whose request or answer is being read: a view or a call sets it
with `refusing`, and whoever meets a quirk asks `tolerate`. docs/quirks.md tells each with its places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from ocpi.protocol.errors import InvalidParameters


class Quirk(StrEnum):
    """A habit of platforms that the specification does not have; the value is its name for people."""

    RAW_TOKENS = "raw-tokens"
    MISSING_ROUTING = "missing-routing"
    MISSING_MESSAGE_IDS = "missing-message-ids"
    MIXED_CASE_IDS = "mixed-case-ids"
    DATE_FORMS = "date-forms"
    NUMBERS_AS_STRINGS = "numbers-as-strings"
    LONG_TEXTS = "long-texts"
    NULLS = "nulls"
    UNKNOWN_FIELDS = "unknown-fields"
    UNKNOWN_VALUES = "unknown-values"
    RESERVED = "reserved"
    LATE_UPDATES = "late-updates"
    UNENCODED_RESPONSE_URL = "unencoded-response-url"
    WRAPPED_RESULTS = "wrapped-results"
    ENVELOPE_VARIANTS = "envelope-variants"
    OK_FOR_CREATED = "ok-for-created"


MEANINGS = {
    Quirk.RAW_TOKENS: "tokens without Base64, or in another spelling of it",
    Quirk.MISSING_ROUTING: "requests without all four routing headers",
    Quirk.MISSING_MESSAGE_IDS: "requests without X-Request-ID or X-Correlation-ID",
    Quirk.MIXED_CASE_IDS: "an id in one case here and in another there",
    Quirk.DATE_FORMS: "times with an offset, microseconds, a space or without seconds; 8:00 or 24:00",
    Quirk.NUMBERS_AS_STRINGS: "numbers as strings, and numbers where a string belongs",
    Quirk.LONG_TEXTS: "texts up to twice as long as they may be",
    Quirk.NULLS: "null, or an empty id or address, for an optional field",
    Quirk.UNKNOWN_FIELDS: "fields that the object does not have",
    Quirk.UNKNOWN_VALUES: "enum values that this version does not have",
    Quirk.RESERVED: "RESERVED for the session status RESERVATION",
    Quirk.LATE_UPDATES: "updates older than what is stored; they change nothing",
    Quirk.UNENCODED_RESPONSE_URL: "a response_url whose own query is not percent-encoded",
    Quirk.WRAPPED_RESULTS: "results inside the envelope of responses",
    Quirk.ENVELOPE_VARIANTS: "successful answers without the envelope, or with parts of it",
    Quirk.OK_FOR_CREATED: "HTTP 200 for an object that is new to them",
}

_refused: ContextVar[frozenset[Quirk]] = ContextVar("refused_quirks", default=frozenset())


@contextmanager
def refusing(quirks: Iterable[Quirk]) -> Iterator[None]:
    """Refuse these quirks and no others in what is read inside the block."""
    token = _refused.set(frozenset(quirks))
    try:
        yield
    finally:
        _refused.reset(token)


def refuse(quirks: Iterable[Quirk]) -> None:
    """Refuse these quirks for the rest of the block of `refusing` that we are in."""
    _refused.set(frozenset(quirks))


def is_tolerated(quirk: Quirk) -> bool:
    """Tell whether the partner that is being read may have this quirk."""
    return quirk not in _refused.get()


def tolerate(quirk: Quirk, complaint: str) -> None:
    """Bear a quirk. Raises InvalidParameters(complaint) where it is refused."""
    if not is_tolerated(quirk):
        raise InvalidParameters(complaint)

"""The headers of OCPI requests: Authorization, message ids and routing (OCPI 2.2.1 transport_and_format)."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass
from typing import Any

LONGEST_AUTHORIZATION = 2048
LONGEST_MESSAGE_ID = 255
# Printable ASCII can't end a header; spaces around a value are no part of it (RFC 9110, 5.5).
_MESSAGE_ID = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_PARTY_ID = re.compile(r"[A-Z0-9]{1,3}")


@dataclass(frozen=True)
class Routing:
    """From which party a message comes, and to which it goes."""

    to_country_code: str
    to_party_id: str
    from_country_code: str
    from_party_id: str

    @property
    def to_party(self) -> tuple[str, str]:
        """The (country_code, party_id) that it goes to."""
        return self.to_country_code, self.to_party_id

    @property
    def from_party(self) -> tuple[str, str]:
        """The (country_code, party_id) that it comes from."""
        return self.from_country_code, self.from_party_id

    @property
    def headers(self) -> dict[str, str]:
        """The four headers."""
        return {
            "OCPI-to-country-code": self.to_country_code,
            "OCPI-to-party-id": self.to_party_id,
            "OCPI-from-country-code": self.from_country_code,
            "OCPI-from-party-id": self.from_party_id,
        }

    def swapped(self) -> Routing:
        """Return the routing of the answer."""
        return Routing(
            to_country_code=self.from_country_code,
            to_party_id=self.from_party_id,
            from_country_code=self.to_country_code,
            from_party_id=self.to_party_id,
        )


def token_candidates(authorization: str | None) -> list[str]:
    """Return the tokens that an Authorization header may mean, the likeliest first; [] when unusable.

    The header should be `Token` and the Base64 of the token, but platforms send the token itself, other
    spellings of Base64, and a line feed at the token's end.
    """
    if not authorization or len(authorization) > LONGEST_AUTHORIZATION:
        return []
    words = authorization.split()
    if len(words) != 2 or words[0].lower() != "token" or not (words[1].isascii() and words[1].isprintable()):
        return []
    candidates = [_decoded(words[1]), words[1]]
    return list(dict.fromkeys(token for token in candidates if token))


def authorization(token: str, *, raw: bool = False) -> str:
    """Return the Authorization header for a token; `raw` for platforms that know no Base64."""
    if raw and token.isascii() and token.isprintable():
        return f"Token {token}"
    return f"Token {base64.b64encode(token.encode()).decode('ascii')}"


def message_ids(request: Any) -> tuple[str, str]:
    """Return X-Request-ID and X-Correlation-ID of a request (Django's or DRF's), as they came.

    New ones take the place of those that lack, are longer than 255 characters or not printable ASCII. The
    same pair is returned each time for one request.
    """
    request = getattr(request, "_request", request)
    if not hasattr(request, "ocpi_message_ids"):
        request.ocpi_message_ids = (
            _usable_id(request.META.get("HTTP_X_REQUEST_ID")),
            _usable_id(request.META.get("HTTP_X_CORRELATION_ID")),
        )
    return request.ocpi_message_ids


def lacks_message_ids(request: Any) -> bool:
    """Tell whether a request came without one of its ids, or with one that can't be used."""
    came = (request.META.get("HTTP_X_REQUEST_ID"), request.META.get("HTTP_X_CORRELATION_ID"))
    return message_ids(request) != came


def new_message_id() -> str:
    """Return a new unique id."""
    return str(uuid.uuid4())


def routing_of(request: Any) -> Routing | None:
    """Return the routing headers of a request, upper case; None unless all four are there and sound."""
    names = ("TO_COUNTRY_CODE", "TO_PARTY_ID", "FROM_COUNTRY_CODE", "FROM_PARTY_ID")
    values = [request.META.get(f"HTTP_OCPI_{name}", "").strip().upper() for name in names]
    patterns = (_COUNTRY_CODE, _PARTY_ID, _COUNTRY_CODE, _PARTY_ID)
    if not all(pattern.fullmatch(value) for pattern, value in zip(patterns, values, strict=True)):
        return None
    return Routing(*values)


def _usable_id(value: str | None) -> str:
    if value and len(value) <= LONGEST_MESSAGE_ID and _MESSAGE_ID.fullmatch(value):
        return value
    return new_message_id()


def _decoded(text: str) -> str | None:
    if not _BASE64.fullmatch(text):
        return None
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        token = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = token.rstrip()
    return token if token.isprintable() else None

"""Who may connect: chargers that we know by the name in their address, with the password that they have.

OCPP-J 1.6 sections 3 and 6; "Improved security for OCPP 1.6-J" edition 4, section 3.2.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from chargers.models import Charger
from chargers.passwords import is_password
from ocpi.partners.guesses import GuessLimit

LONGEST_IDENTITY = 48
LONGEST_AUTHORIZATION = 1000

# Per name and address together: nobody can lock a charger out by guessing its password.
wrong_passwords = GuessLimit(most=20)


@dataclass(frozen=True)
class Refused(Exception):
    """The connection is refused before it becomes a websocket, with an HTTP status and a reason."""

    status: int
    reason: str
    retry_after_s: int = 0


def admit(*, path: str, authorizations: list[str], address: str, now: datetime) -> Charger:
    """Return the charger that may connect from `address`. Raises Refused: 404, 401 or 429."""
    identity = identity_of(path)
    charger = Charger.objects.filter(identity=identity).first() if identity else None
    # Some databases compare texts without case.
    if charger is None or charger.identity != identity:
        raise Refused(404, "No charger of this name is known here.")
    if not charger.password_hash:
        return charger
    user, password = _basic(authorizations)
    if user == identity.encode() and is_password(password, charger.password_hash):
        return charger
    if not authorizations:
        # Asking what is wanted is no guess.
        raise Refused(401, "Basic authentication is needed: the charger's name and password.")
    retry_after_s = wrong_passwords.count(address, key=identity, now=now)
    if retry_after_s:
        raise Refused(429, "Too many wrong passwords.", retry_after_s)
    raise Refused(401, "The name or the password is wrong.")


def identity_of(path: str) -> str:
    """Return the charger's name in a request's path, "" when there is none."""
    try:
        identity = unquote(urlsplit(path).path.strip("/"), errors="strict")
    except (ValueError, UnicodeDecodeError):
        return ""
    is_usable = 0 < len(identity) <= LONGEST_IDENTITY and "/" not in identity and identity.isprintable()
    return identity if is_usable else ""


def _basic(authorizations: list[str]) -> tuple[bytes, bytes]:
    """Return user and password of the one Authorization header, empty when it can't be read."""
    if len(authorizations) != 1 or len(authorizations[0]) > LONGEST_AUTHORIZATION:
        return b"", b""
    scheme, _, encoded = authorizations[0].strip().partition(" ")
    if scheme.casefold() != "basic":
        return b"", b""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return b"", b""
    return user, password

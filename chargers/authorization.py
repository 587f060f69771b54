"""Which tokens may charge."""

from __future__ import annotations

from django.conf import settings

LONGEST_UID = 36


def token_status(id_token: str) -> str:
    """Return OCPP's AuthorizationStatus of a token.

    No list of tokens is kept yet: ACCEPT_UNKNOWN_TOKENS decides for all that OCPI could name.
    """
    is_nameable = bool(id_token) and as_uid(id_token) == id_token
    return "Accepted" if is_nameable and settings.ACCEPT_UNKNOWN_TOKENS else "Invalid"


def as_uid(id_token: str) -> str:
    """Return a token as a uid in OCPI: printable ASCII, without spaces around it, at most 36 characters.

    What is not gets a question mark (OCPI 2.2.1 types, "CiString").
    """
    shown = "".join(char if char.isascii() and char.isprintable() else "?" for char in id_token)
    return shown.strip()[:LONGEST_UID]

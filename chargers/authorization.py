"""Which tokens may charge."""

from __future__ import annotations

from django.conf import settings


def token_status(id_token: str) -> str:
    """Return OCPP's AuthorizationStatus of a token.

    No list of tokens is kept yet: ACCEPT_UNKNOWN_TOKENS decides for all.
    """
    return "Accepted" if id_token and settings.ACCEPT_UNKNOWN_TOKENS else "Invalid"

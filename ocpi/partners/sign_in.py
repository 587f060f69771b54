"""What a partner sees of us when we call it: a token of its own, or of its token endpoint, and an API key."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from ocpi.partners import oauth
from ocpi.partners.models import Partner
from ocpi.partners.secrets import UnreadableSecret, decrypt
from ocpi.protocol.client import CallFailed, Reply, send


def send_signed(partner: Partner, *, deadline_s: float, **request: Any) -> Reply:
    """Call an address that is a partner's, signed in as it wants; `request` is what `send` takes.

    An access token that the partner answers 401 to is replaced once, within the same deadline.
    Raises CallFailed, with sign_in_failed when its token endpoint gives no token.
    """
    try:
        headers = _api_key(partner)
        if partner.sign_in == Partner.SignIn.OAUTH2:
            return _send_with_access_token(partner, headers, deadline_s=deadline_s, **request)
        token = decrypt(partner.outbound_token_encrypted) if partner.outbound_token_encrypted else None
    except UnreadableSecret as error:
        raise CallFailed("unreachable", str(error)) from error
    if token is None:
        raise CallFailed("forbidden_address", f"{partner.name} is not registered: it has given us no token.")
    return _send(deadline_s, token=token, raw_token=partner.sends_raw_tokens, more_headers=headers, **request)


def problem(partner: Partner) -> str:
    """Return why a partner's token endpoint gives us no token, "" when it does or there is none."""
    if partner.sign_in != Partner.SignIn.OAUTH2:
        return ""
    try:
        oauth.access_token(partner, deadline_s=oauth.FETCH_DEADLINE_S)
    except CallFailed as error:
        return error.detail
    return ""


def _send_with_access_token(
    partner: Partner, headers: dict[str, str], *, deadline_s: float, **request: Any
) -> Reply:
    ends_s = time.monotonic() + deadline_s

    def bearing(token: str) -> Reply:
        signed = {"Authorization": f"Bearer {token}", **headers}
        return _send(ends_s - time.monotonic(), token=None, more_headers=signed, **request)

    token = oauth.access_token(partner, deadline_s=deadline_s)
    reply = bearing(token)
    if reply.http_status != 401:
        return reply
    newer = oauth.access_token(partner, deadline_s=ends_s - time.monotonic(), refused=token)
    return reply if newer == token else bearing(newer)


def _api_key(partner: Partner) -> dict[str, str]:
    """Return the header with their API key, if they want one. Raises UnreadableSecret."""
    return {partner.api_key_header: decrypt(partner.api_key_encrypted)} if partner.api_key_header else {}


def _send(deadline_s: float, **request: Any) -> Reply:
    return send(
        deadline_s=round(max(deadline_s, 0.1), 1),
        allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
        **request,
    )

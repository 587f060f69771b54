"""Access tokens for partners that sign us in by OAuth 2.0 client credentials (RFC 6749, 4.4).

A token is shared by all processes, in the database and encrypted. It is renewed before it ends, by one
process at a time; the others go on with the old one.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ocpi.partners.models import OAuthClient, Partner
from ocpi.partners.secrets import UnreadableSecret, decrypt, encrypt
from ocpi.protocol.client import CallFailed, Reply, send
from ocpi.protocol.quirks import refusing

# Half of the time that a whole call has.
FETCH_DEADLINE_S = 4.0
# A process that died while it fetched holds the others off no longer than this.
FETCH_LEASE = timedelta(seconds=10)
# After a failed renewal, and between two refusals by the partner that count: token endpoints have quotas.
PAUSE = timedelta(seconds=30)
POLL_S = 0.1
DEFAULT_LIFE_S = 300.0
LONGEST_LIFE_S = 86_400.0
FAILED = "Signing in failed: "
_TOKEN = re.compile(r"[!-~]{1,8192}")
# RFC 6749, 5.2 and 4.1.2.1. Anything else a token endpoint says might hold what we sent.
_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)


@dataclass(frozen=True)
class Fetched:
    """A token as it came, and for how long it is good and should be used, in seconds."""

    token: str = field(repr=False)
    life_s: float
    renew_after_s: float


class _NoToken(Exception):
    """The token endpoint gave none; the message says why, without secrets."""


def access_token(partner: Partner, *, deadline_s: float, refused: str = "") -> str:
    """Return a token for a partner: the one that we hold, or a new one when that nears its end.

    `refused` is a token that the partner answered 401 to; it comes back itself when another one was replaced
    for that reason a moment ago. Raises CallFailed (sign_in_failed), and keeps why in partner.last_error.
    """
    ends_s = time.monotonic() + deadline_s
    while True:
        client = OAuthClient.objects.filter(partner=partner).first()
        if client is None:
            raise CallFailed("sign_in_failed", f"{partner.name} was changed or ended meanwhile.")
        now = timezone.now()
        held = _held(client, now)
        if held and held == refused and client.refused_at and now < client.refused_at + PAUSE:
            return refused
        usable = "" if held == refused else held
        if usable and client.renew_at and now < client.renew_at:
            return usable
        is_refused = bool(refused) and held == refused
        lease_until = _claim(client, now=now)
        remaining_s = ends_s - time.monotonic()
        if lease_until:
            return _renewed(
                client,
                usable,
                lease_until,
                deadline_s=min(FETCH_DEADLINE_S, remaining_s),
                refused_at=now if is_refused else client.refused_at,
            )
        if usable:
            return usable
        if remaining_s <= POLL_S:
            raise CallFailed("sign_in_failed", "Another process got no token in time.")
        time.sleep(POLL_S)


def read_answer(reply: Reply) -> Fetched:
    """Return the token of an answer (RFC 6749, 5.1). Raises _NoToken naming what was wrong."""
    document = reply.data if isinstance(reply.data, dict) else {}
    if not 200 <= reply.http_status < 300:
        error = document.get("error")
        said = f", {error}" if isinstance(error, str) and error in _ERRORS else ""
        raise _NoToken(f"HTTP {reply.http_status}{said}")
    token = document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise _NoToken("the answer has no access_token that fits into a header")
    if str(document.get("token_type", "bearer")).lower() != "bearer":
        raise _NoToken("the answer has a token_type other than Bearer")
    life_s = life_of(document.get("expires_in"))
    return Fetched(token, life_s=life_s, renew_after_s=renewal_of(life_s))


def life_of(expires_in: Any) -> float:
    """Return for how many seconds a token is good: a day at most, five minutes when nobody can know."""
    if isinstance(expires_in, str) and re.fullmatch(r"[0-9]{1,9}", expires_in):
        expires_in = int(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or not expires_in > 0:
        return DEFAULT_LIFE_S
    return float(min(expires_in, LONGEST_LIFE_S))


def renewal_of(life_s: float) -> float:
    """Return after how many seconds of its life a token is renewed.

    At 85 %, or a minute before its end if that is earlier, but not in the first half.
    """
    return max(min(0.85 * life_s, life_s - 60), life_s / 2)


def _held(client: OAuthClient, now: datetime) -> str:
    """Return the token that we hold, "" when there is none that is still good."""
    if not client.access_token_encrypted or client.expires_at is None or client.expires_at <= now:
        return ""
    try:
        return decrypt(client.access_token_encrypted)
    except UnreadableSecret:
        return ""


def _claim(client: OAuthClient, *, now: datetime) -> datetime | None:
    """Take the turn to fetch, unless somebody has it or was faster; return until when it is ours."""
    until = now + FETCH_LEASE
    free = OAuthClient.objects.filter(
        Q(fetching_until=None) | Q(fetching_until__lte=now),
        pk=client.pk,
        access_token_encrypted=client.access_token_encrypted,
    )
    return until if free.update(fetching_until=until) else None


def _renewed(
    client: OAuthClient,
    usable: str,
    lease_until: datetime,
    *,
    deadline_s: float,
    refused_at: datetime | None,
) -> str:
    """Fetch a token and store it; when that fails return the `usable` one. Raises CallFailed without one."""
    now = timezone.now()
    mine = OAuthClient.objects.filter(pk=client.pk, fetching_until=lease_until)
    partners = Partner.objects.filter(pk=client.partner_id)
    try:
        fetched = _fetch(client, deadline_s=deadline_s)
    except CallFailed as error:
        # While the old token lasts there is no hurry.
        mine.update(fetching_until=min(now + PAUSE, client.expires_at or now) if usable else None)
        partners.update(last_error=f"{FAILED}{error.detail}"[:300])
        if usable:
            return usable
        raise
    mine.update(
        access_token_encrypted=encrypt(fetched.token),
        renew_at=now + timedelta(seconds=fetched.renew_after_s),
        expires_at=now + timedelta(seconds=fetched.life_s),
        refused_at=refused_at,
        fetching_until=None,
    )
    partners.filter(last_error__startswith=FAILED).update(last_error="")
    return fetched.token


def _fetch(client: OAuthClient, *, deadline_s: float) -> Fetched:
    """Ask the token endpoint; the client secret goes nowhere else. Raises CallFailed."""
    where = client.token_url.partition("?")[0]
    try:
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": decrypt(client.client_secret_encrypted),
        }
        optional = {"audience": client.audience, "scope": client.scope}
        # Its answers are no envelopes, whatever the partner is held to.
        with refusing(()):
            reply = send(
                method="POST",
                url=client.token_url,
                token=None,
                form=form | {name: value for name, value in optional.items() if value},
                deadline_s=round(max(deadline_s, 0.1), 1),
                allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
            )
        return read_answer(reply)
    except UnreadableSecret as error:
        raise CallFailed("sign_in_failed", str(error)) from error
    except CallFailed as error:
        raise CallFailed("sign_in_failed", f"no token from {where} ({error})") from error
    except _NoToken as error:
        raise CallFailed("sign_in_failed", f"no token from {where}: {error}") from error

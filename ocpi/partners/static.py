"""Partners with fixed addresses and no credentials module: an operator tells us what a handshake would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from ocpi.partners import grants, tokens
from ocpi.partners.discovery import Discovery, PublishedEndpoint
from ocpi.partners.documents import role_of
from ocpi.partners.handshake import Refused, plain_response_hosts
from ocpi.partners.hosts import PublishedAddresses
from ocpi.partners.models import InboundToken, OAuthClient, Partner
from ocpi.partners.registration import Terms, check_parties, lock_partners, store
from ocpi.partners.secrets import encrypt

LONGEST_SECRET = 500
_VISIBLE = re.compile(r"[!-~]+")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# Those that we send ourselves, and those that are about the connection.
_OUR_HEADERS = re.compile(
    r"(?i)accept(-.*)?|authorization|connection|content-.*|cookie|expect|host|ocpi-.*|te|trailer"
    r"|transfer-encoding|upgrade|user-agent|x-(request|correlation)-id"
)


@dataclass(frozen=True)
class OAuthTerms:
    """Where and as whom we get access tokens."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    audience: str = ""
    scope: str = ""


@dataclass(frozen=True)
class StaticTerms:
    """What we know of a partner: its parties and addresses, and a token of its own or how to get one.

    `parties` are (country_code, party_id), each with all of `roles`. `endpoints` are addresses by
    (identifier, role).
    """

    parties: Sequence[tuple[str, str]]
    roles: Sequence[str]
    endpoints: Mapping[tuple[str, str], str]
    response_hosts: Sequence[str] = ()
    token: str = field(default="", repr=False)
    sends_raw_tokens: bool = False
    oauth: OAuthTerms | None = None
    api_key: str = field(default="", repr=False)
    api_key_header: str = ""


def add_static(*, name: str, terms: StaticTerms, may_steer: bool, now: datetime) -> tuple[Partner, str]:
    """Make or change a partner with fixed addresses; return it and its token for us.

    The token is made for a new partner only, and is the only one; "" means that the one before still opens.
    Raises Refused, InvalidParameters or UnableToUseApi naming what is wrong.
    """
    response_hosts = plain_response_hosts(terms.response_hosts)
    _check_secrets(terms)
    _check_addresses(terms)
    roles = [role_of(role, *party) for party in terms.parties for role in terms.roles]
    with transaction.atomic():
        lock_partners()
        partner, _ = Partner.objects.get_or_create(name=name, defaults={"created_at": now})
        is_known = partner.status == Partner.Status.REGISTERED
        if is_known and not partner.is_static:
            raise Refused(f"{name} is registered by OCPI credentials: unregister it first.")
        check_parties(roles, partner=partner)
        store(partner, _as_registration(terms, roles), now=now)
        _store_sign_in(partner, terms)
        partner.response_hosts = response_hosts
        partner.save(update_fields=["response_hosts"])
        grants.set_everywhere(partner, is_granted=may_steer, now=now)
        if is_known:
            return partner, ""
        tokens.drop_all(partner)
        return partner, tokens.issue(partner, InboundToken.Kind.CREDENTIALS, now=now)


def renew_token(partner: Partner, *, now: datetime) -> str:
    """Return a new token with which a static partner calls us; older ones open until its first use."""
    if not partner.is_static:
        raise Refused(f"{partner.name} gets its token by OCPI credentials: rotate them.")
    return tokens.issue(partner, InboundToken.Kind.CREDENTIALS, now=now)


def _check_secrets(terms: StaticTerms) -> None:
    """Check that what goes into headers fits there. Raises Refused, without the values."""
    secrets = {
        "token": terms.token,
        "API key": terms.api_key,
        "client secret": terms.oauth.client_secret if terms.oauth else "",
    }
    for what, secret in secrets.items():
        if secret and not (_VISIBLE.fullmatch(secret) and len(secret) <= LONGEST_SECRET):
            raise Refused(
                f"The {what} must be 1 to {LONGEST_SECRET} printable ASCII characters without spaces."
            )
    header = terms.api_key_header
    if terms.api_key and (not _HEADER.fullmatch(header) or _OUR_HEADERS.fullmatch(header)):
        raise Refused(f"{header[:64]!r} is not a header that may hold an API key.")


def _check_addresses(terms: StaticTerms) -> None:
    """Check where their addresses lead. Raises UnableToUseApi naming the address."""
    addresses = PublishedAddresses()
    for url in [*terms.endpoints.values(), *([terms.oauth.token_url] if terms.oauth else [])]:
        addresses.check(url)


def _as_registration(terms: StaticTerms, roles: list[dict[str, str]]) -> Terms:
    endpoints = tuple(PublishedEndpoint(*which, url) for which, url in terms.endpoints.items())
    discovery = Discovery(endpoints=endpoints, sends_raw_tokens=terms.sends_raw_tokens)
    return Terms(token=terms.token, versions_url="", roles=roles, discovery=discovery)


def _store_sign_in(partner: Partner, terms: StaticTerms) -> None:
    """Write how we sign in; the caller holds the transaction. An access token that we held is gone."""
    partner.sign_in = Partner.SignIn.OAUTH2 if terms.oauth else Partner.SignIn.TOKEN
    partner.api_key_header = terms.api_key_header if terms.api_key else ""
    partner.api_key_encrypted = encrypt(terms.api_key) if terms.api_key else ""
    partner.save(update_fields=["sign_in", "api_key_header", "api_key_encrypted"])
    OAuthClient.objects.filter(partner=partner).delete()
    if terms.oauth:
        OAuthClient.objects.create(
            partner=partner,
            token_url=terms.oauth.token_url,
            client_id=terms.oauth.client_id,
            client_secret_encrypted=encrypt(terms.oauth.client_secret),
            audience=terms.oauth.audience,
            scope=terms.oauth.scope,
        )

"""Registrations that partners start with POST, PUT or DELETE of their credentials (OCPI 2.2.1 credentials).

We call back before we answer, outside any transaction; then everything is stored at once, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from ocpi.partners import pull_times, tokens
from ocpi.partners.authentication import Caller
from ocpi.partners.crossing import check_turn
from ocpi.partners.discovery import Discovery, discover
from ocpi.partners.documents import check_credentials, party_of
from ocpi.partners.models import Endpoint, InboundToken, OAuthClient, Partner, PartnerRole
from ocpi.partners.own import is_ours
from ocpi.partners.secrets import encrypt
from ocpi.partners.versions import VERSION
from ocpi.protocol.errors import InvalidParameters, Unauthorized

CREDENTIALS = InboundToken.Kind.CREDENTIALS


@dataclass(frozen=True)
class Terms:
    """What a registration stores of the other side: the token that we call them with, parties, addresses.

    Without an address of versions, and perhaps a token, if they don't have credentials.
    """

    token: str = field(repr=False)
    versions_url: str
    roles: list[dict[str, Any]]
    discovery: Discovery


def accept_registration(caller: Caller, document: Any, *, now: datetime) -> str:
    """Register a partner that shows a token A; return the token C that opens our doors from now on.

    The token A survives every failure and dies on success. Raises InvalidParameters (2001),
    UnableToUseApi (3001), UnsupportedVersion (3002), MissingEndpoints (3003), Unauthorized when the
    token A was used meanwhile, or OcpiError when we are registering at them and come first.
    """
    credentials = _checked(caller.partner, document, now=now)
    terms = _read_terms(credentials)
    with transaction.atomic():
        lock_partners()
        if not InboundToken.objects.filter(pk=caller.token.pk).exists():
            raise Unauthorized("This token was used already.")
        check_parties(terms.roles, partner=caller.partner)
        check_turn(caller.partner, credentials, now=now)
        store(caller.partner, terms, now=now)
        tokens.drop_all_but_offers(caller.partner, now=now)
        return tokens.issue(caller.partner, CREDENTIALS, now=now)


def update_registration(caller: Caller, document: Any, *, now: datetime) -> str:
    """Take new credentials of a registered partner; return their new token for us.

    The old token dies with it, or OLD_TOKEN_GRACE_S later at most. A failure leaves the earlier registration
    as it was. Raises as accept_registration does, also when we are renewing ours and come first.
    """
    credentials = _checked(caller.partner, document, now=now)
    terms = _read_terms(credentials)
    with transaction.atomic():
        lock_partners()
        if not InboundToken.objects.filter(pk=caller.token.pk).exists():
            raise Unauthorized("This token was replaced meanwhile.")
        check_parties(terms.roles, partner=caller.partner)
        check_turn(caller.partner, credentials, now=now)
        # Who shows the token that travels in a PUT of ours has taken that PUT: this one is newer.
        tokens.settle_offer(caller.partner, caller.token_text)
        store(caller.partner, terms, now=now)
        token = tokens.issue(caller.partner, CREDENTIALS, now=now)
        tokens.limit_others(caller.partner, token, now=now, grace_s=settings.OLD_TOKEN_GRACE_S)
        return token


def end_registration(partner: Partner) -> None:
    """End both directions: tokens, addresses and grants go, the row stays for the record."""
    with transaction.atomic():
        lock_partners()
        tokens.drop_all(partner)
        partner.endpoints.all().delete()
        partner.grants.all().delete()
        OAuthClient.objects.filter(partner=partner).delete()
        partner.status = Partner.Status.ENDED
        partner.sign_in = Partner.SignIn.CREDENTIALS
        partner.outbound_token_encrypted = partner.api_key_header = partner.api_key_encrypted = ""
        partner.save(
            update_fields=[
                "status",
                "sign_in",
                "outbound_token_encrypted",
                "api_key_header",
                "api_key_encrypted",
            ]
        )


def lock_partners() -> None:
    """Let registrations settle one after the other, so that no two take the same party. In a transaction."""
    list(Partner.objects.select_for_update().order_by("pk").values_list("pk"))


def check_parties(roles: list[dict[str, Any]], *, partner: Partner | None) -> None:
    """Check that the parties are neither ours nor another registered partner's. Raises InvalidParameters.

    One party may be CPO on one platform and eMSP on another; but all roles that may own tokens count as one,
    since the owner of a session's token sees the session.
    """
    others = PartnerRole.objects.filter(partner__status=Partner.Status.REGISTERED)
    if partner is not None:
        others = others.exclude(partner=partner)
    for number, role in enumerate(roles):
        name, country_code, party_id = party_of(role)
        if is_ours((country_code, party_id)):
            raise InvalidParameters(f"roles[{number}]: {country_code}-{party_id} is our own party")
        same_party = others.filter(country_code=country_code, party_id=party_id)
        taken = same_party.filter(role="CPO") if name == "CPO" else same_party.exclude(role="CPO")
        if taken.exists():
            raise InvalidParameters(
                f"roles[{number}]: {country_code}-{party_id} {name} is registered by another platform"
            )


def store(partner: Partner, terms: Terms, *, now: datetime) -> None:
    """Write a registration; the caller holds the transaction.

    Other parties, or another address, are pulled from the beginning. When their endpoints change is kept.
    """
    parties_before = {(role.country_code, role.party_id) for role in partner.roles.all()}
    parties = {(role["country_code"], role["party_id"]) for role in terms.roles}
    if parties != parties_before or partner.versions_url != terms.versions_url:
        partner.pulled, partner.pulled_whole, partner.pull_places = {}, {}, {}
    partner.status = Partner.Status.REGISTERED
    partner.versions_url = terms.versions_url
    partner.version = VERSION
    partner.outbound_token_encrypted = encrypt(terms.token) if terms.token else ""
    partner.sends_raw_tokens = terms.discovery.sends_raw_tokens
    partner.registered_at = now
    partner.last_error = ""
    partner.pull_due_at, partner.pull_failures = None, 0
    endpoints = {(one.identifier, one.role, one.url) for one in terms.discovery.endpoints}
    if endpoints != set(partner.endpoints.values_list("identifier", "role", "url")):
        partner.endpoints_changed_at = now
    partner.save(
        update_fields=[
            "status",
            "versions_url",
            "version",
            "outbound_token_encrypted",
            "sends_raw_tokens",
            "registered_at",
            "last_error",
            "endpoints_changed_at",
            "pulled",
            "pulled_whole",
            "pull_places",
            "pull_due_at",
            "pull_failures",
        ]
    )
    partner.roles.all().delete()
    PartnerRole.objects.bulk_create(
        PartnerRole(
            partner=partner,
            role=role["role"],
            country_code=role["country_code"],
            party_id=role["party_id"],
            business_details=role.get("business_details") or {},
        )
        for role in terms.roles
    )
    partner.endpoints.all().delete()
    Endpoint.objects.bulk_create(
        Endpoint(partner=partner, identifier=one.identifier, role=one.role, url=one.url)
        for one in terms.discovery.endpoints
    )
    pull_times.begin(partner, now=now)


def _checked(partner: Partner, document: Any, *, now: datetime) -> dict[str, Any]:
    """Return the credentials in a body that can be taken as things are."""
    credentials = check_credentials(document)
    check_parties(credentials["roles"], partner=partner)
    check_turn(partner, credentials, now=now)
    return credentials


def _read_terms(credentials: dict[str, Any]) -> Terms:
    """Call back with the token in their credentials. No transaction is open."""
    return Terms(
        token=credentials["token"],
        versions_url=credentials["url"],
        roles=credentials["roles"],
        discovery=discover(credentials["url"], credentials["token"]),
    )

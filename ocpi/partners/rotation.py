"""New credentials for a registered partner, by a PUT of ours (OCPI 2.2.1 credentials, as sender).

It tells them our addresses anew, and takes theirs anew: versions and details are read first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from ocpi.partners import tokens
from ocpi.partners.discovery import Discovery, discover
from ocpi.partners.documents import check_answer, own_credentials
from ocpi.partners.handshake import CLEAN_FAILURES, OFFER_LIFE, Refused, said, send_credentials
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.registration import Terms, check_parties, lock_partners, store
from ocpi.partners.secrets import UnreadableSecret, decrypt
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import InvalidParameters, OcpiError
from ocpi.protocol.quirks import refusing

# After our PUT succeeded, requests that carry the old token may still be under way.
OLD_TOKEN_LIFE_S = 3600


def rotate(partner: Partner, *, now: datetime) -> None:
    """Exchange both tokens, and take over what they publish now and the parties that they name.

    Our old and new tokens both open until the first use of the new one. A refusal drops the new one and
    leaves all as it was; when we can't know whether the other side took it, both stay. Raises Refused, and
    keeps why in last_error.
    """
    if partner.is_static:
        raise Refused(f"{partner.name} has no credentials module to exchange tokens with.")
    offered = _offer(partner, now=now)
    try:
        with refusing(partner.refuses):
            discovery, token = _discovered(partner, offered)
            answer = _put(partner, discovery, token, offered)
        _settle(partner, answer, discovery, offered, now=now)
    except Refused as error:
        Partner.objects.filter(pk=partner.pk).update(last_error=f"Rotating failed: {error}"[:300])
        raise


def _offer(partner: Partner, *, now: datetime) -> str:
    """Make the token for a PUT, and read the partner as it is then. Raises Refused."""
    with transaction.atomic():
        lock_partners()
        partner.refresh_from_db()
        if partner.status != Partner.Status.REGISTERED:
            raise Refused(f"{partner.name} is not registered.")
        if tokens.open_offers(partner, now=now).exists():
            raise Refused(f"{partner.name} is being sent new credentials: try again in a minute.")
        return tokens.issue(partner, InboundToken.Kind.CREDENTIALS, now=now, offered_until=now + OFFER_LIFE)


def _discovered(partner: Partner, offered: str) -> tuple[Discovery, str]:
    """Return what they publish now, and our token for them. Raises Refused when that can't be read."""
    try:
        token = decrypt(partner.outbound_token_encrypted)
        return discover(partner.versions_url, token), token
    except (OcpiError, UnreadableSecret) as error:
        tokens.drop_unused(partner, offered)
        raise Refused(f"{partner.name} was not sent new credentials, nothing changed: {error}") from error


def _put(partner: Partner, discovery: Discovery, token: str, offered: str) -> dict[str, Any]:
    """PUT our credentials with a new token and return theirs. Raises Refused.

    What surely failed drops `offered`; what may have been taken leaves it.
    """
    try:
        reply = send_credentials(discovery, method="PUT", token=token, body=own_credentials(offered))
    except CallFailed as error:
        if error.reason in CLEAN_FAILURES:
            tokens.drop_unused(partner, offered)
            raise Refused(f"{partner.name} could not be reached, nothing changed: {error}") from error
        tokens.settle_offer(partner, offered)
        raise Refused(_unknown(partner, str(error))) from error
    if reply.is_success:
        try:
            return check_answer(reply.data)
        except InvalidParameters as error:
            tokens.settle_offer(partner, offered)
            raise Refused(_unknown(partner, f"no usable credentials came back, {error}")) from error
    if reply.is_envelope or 400 <= reply.http_status < 500:
        tokens.drop_unused(partner, offered)
        raise Refused(f"{partner.name} refused our new credentials, nothing changed: {said(reply)}.")
    tokens.settle_offer(partner, offered)
    raise Refused(_unknown(partner, said(reply)))


def _settle(
    partner: Partner, answer: dict[str, Any], discovery: Discovery, offered: str, *, now: datetime
) -> None:
    """Store what they answered. Raises Refused when something newer took its place while we waited."""
    with transaction.atomic():
        lock_partners()
        partner.refresh_from_db()
        if partner.status != Partner.Status.REGISTERED or not tokens.is_offered(partner, offered):
            raise Refused(f"{partner.name} changed its credentials meanwhile; those stand.")
        roles, complaint = _agreed_roles(partner, answer["roles"])
        terms = Terms(
            token=answer["token"], versions_url=partner.versions_url, roles=roles, discovery=discovery
        )
        store(partner, terms, now=now)
        if complaint:
            Partner.objects.filter(pk=partner.pk).update(last_error=complaint[:300])
        tokens.settle_offer(partner, offered)
        grace_s = settings.OLD_TOKEN_GRACE_S or OLD_TOKEN_LIFE_S
        tokens.limit_others(partner, offered, now=now, grace_s=grace_s)


def _agreed_roles(partner: Partner, roles: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """Return the parties that they name, or those that we know and why theirs can't be taken.

    The tokens are exchanged by then, and must be kept.
    """
    try:
        check_parties(roles, partner=partner)
    except InvalidParameters as error:
        known = partner.roles.values("role", "country_code", "party_id", "business_details")
        return [dict(one) for one in known], f"Their parties were left as they were: {error.message}"
    return roles, ""


def _unknown(partner: Partner, reason: str) -> str:
    return (
        f"{partner.name} may or may not have taken our new credentials ({reason}), so both our tokens stay "
        "open. If they did, our calls get 401: ask them to PUT theirs."
    )

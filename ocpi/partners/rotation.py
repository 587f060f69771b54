"""Tokens that we renew with a PUT of our credentials (OCPI 2.2.1 credentials, "PUT Method", as sender)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from ocpi.partners import tokens
from ocpi.partners.discovery import Discovery, discover
from ocpi.partners.documents import check_answer, own_credentials
from ocpi.partners.handshake import CLEAN_FAILURES, OFFER_LIFE, Refused, said, send_credentials
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.registration import store_addresses
from ocpi.partners.secrets import decrypt, encrypt
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import InvalidParameters, OcpiError
from ocpi.protocol.quirks import refusing

# After our PUT succeeded, requests that carry the old token may still be under way.
OLD_TOKEN_LIFE_S = 3600


def rotate(partner: Partner, *, now: datetime) -> None:
    """Exchange both tokens with a PUT of ours, and take over where their modules are now.

    Their versions and details are read first: modules may have moved, and a partner that no longer offers our
    version keeps the registration as it is. Our old and new tokens both open until the first use of the new
    one. A refusal drops the new one; when we can't know whether the other side took it, both stay.
    Raises Refused, and keeps why in last_error.
    """
    if partner.status != Partner.Status.REGISTERED:
        raise Refused(f"{partner.name} is not registered.")
    if partner.is_static:
        raise Refused(f"{partner.name} has no credentials module to exchange tokens with.")
    try:
        current = decrypt(partner.outbound_token_encrypted)
        discovery = _read_again(partner, current)
        offered = tokens.issue(
            partner, InboundToken.Kind.CREDENTIALS, now=now, offered_until=now + OFFER_LIFE
        )
        theirs = _put(partner, discovery, current, offered)
        _take(partner, theirs, discovery, offered, now=now)
    except Refused as error:
        Partner.objects.filter(pk=partner.pk).update(last_error=f"Rotating failed: {error}"[:300])
        raise


def _read_again(partner: Partner, token: str) -> Discovery:
    """Read their versions and details with our token. Raises Refused."""
    try:
        with refusing(partner.refuses):
            return discover(partner.versions_url, token)
    except OcpiError as error:
        raise Refused(f"Nothing changed: {error.message}") from error


def _put(partner: Partner, discovery: Discovery, token: str, offered: str) -> str:
    """PUT our credentials with a new token and return their new token. Raises Refused.

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
            return check_answer(reply.data)["token"]
        except InvalidParameters as error:
            tokens.settle_offer(partner, offered)
            raise Refused(_unknown(partner, f"no usable credentials came back, {error}")) from error
    if reply.is_envelope or 400 <= reply.http_status < 500:
        tokens.drop_unused(partner, offered)
        raise Refused(f"{partner.name} refused our new credentials, nothing changed: {said(reply)}.")
    tokens.settle_offer(partner, offered)
    raise Refused(_unknown(partner, said(reply)))


def _take(partner: Partner, their_token: str, discovery: Discovery, offered: str, *, now: datetime) -> None:
    """Store their new token and addresses, unless they changed theirs while we waited. Raises Refused."""
    unchanged = Partner.objects.filter(
        pk=partner.pk,
        status=Partner.Status.REGISTERED,
        outbound_token_encrypted=partner.outbound_token_encrypted,
    )
    with transaction.atomic():
        if not unchanged.update(outbound_token_encrypted=encrypt(their_token), last_error=""):
            raise Refused(f"{partner.name} changed its credentials meanwhile: rotate again.")
        store_addresses(partner, discovery)
        tokens.settle_offer(partner, offered)
        grace_s = settings.OLD_TOKEN_GRACE_S or OLD_TOKEN_LIFE_S
        tokens.limit_older(partner, offered, now=now, grace_s=grace_s)


def _unknown(partner: Partner, reason: str) -> str:
    return (
        f"{partner.name} may or may not have taken our new credentials ({reason}), so both our tokens stay "
        "open. If they did, our calls get 401: ask them to PUT theirs."
    )

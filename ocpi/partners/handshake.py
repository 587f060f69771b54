"""Registrations that we start: invite, register and end (OCPI 2.2.1 credentials, as sender)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from ocpi.partners import grants, hosts, tokens
from ocpi.partners.calls import NoEndpoint, call
from ocpi.partners.discovery import Discovery, discover
from ocpi.partners.documents import check_answer, own_credentials, party_of
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.registration import Terms, check_parties, end_registration, lock_partners, store
from ocpi.protocol.addresses import ForbiddenAddress
from ocpi.protocol.client import CallFailed, Reply, send
from ocpi.protocol.errors import InvalidParameters

# They call us back, twice, before they answer.
POST_DEADLINE_S = 30.0
# A token that we send counts as unanswered for this long, should this process die.
OFFER_LIFE = timedelta(seconds=2 * POST_DEADLINE_S)
# These failures happen before the other side could act on what we sent.
CLEAN_FAILURES = frozenset({"forbidden_address", "unreachable", "tls"})
_REGISTERED = Partner.Status.REGISTERED


class Refused(Exception):
    """What was asked does not fit the partner's state, or the other side said no; the message says why."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


@dataclass(frozen=True)
class Invitation:
    """A partner that was invited, and the token A that is shown this once."""

    partner: Partner
    token: str = field(repr=False)


def invite(*, name: str, may_steer: bool, response_hosts: Sequence[str], now: datetime) -> Invitation:
    """Make a token A for a new partner, or a fresh one for a partner that is not registered.

    Raises Refused when that partner is registered, or a host is none.
    """
    plain_hosts = plain_response_hosts(response_hosts)
    with transaction.atomic():
        partner = _unregistered(name=name, now=now)
        partner.status = Partner.Status.INVITED
        partner.response_hosts = plain_hosts
        partner.save(update_fields=["status", "response_hosts"])
        tokens.drop_all(partner)
        grants.set_everywhere(partner, is_granted=may_steer, now=now)
        token = tokens.issue(
            partner,
            InboundToken.Kind.INVITATION,
            now=now,
            expires_at=now + timedelta(seconds=settings.INVITATION_LIFE_S),
        )
    return Invitation(partner, token)


def register(*, name: str, versions_url: str, token: str, may_steer: bool, now: datetime) -> Partner:
    """Register at a platform that gave us a token A; all or nothing.

    Raises Refused or InvalidParameters with the reason, or the errors of `discover`; then nothing is kept
    and the same name may be tried again.
    """
    if Partner.objects.filter(name=name, status=Partner.Status.REGISTERED).exists():
        raise Refused(_is_registered(name))
    discovery = discover(versions_url, token)
    is_new = not Partner.objects.filter(name=name).exists()
    partner, offered = _offer(name, versions_url, now=now)
    try:
        answer = _post(discovery, token, offered)
        terms = Terms(
            token=answer["token"], versions_url=versions_url, roles=answer["roles"], discovery=discovery
        )
        _settle(partner, terms, offered=offered, may_steer=may_steer, now=now)
    except BaseException as error:
        # Whatever ended it, also Ctrl-C: a token of ours that nobody will use must not stay open.
        tokens.drop(partner, offered)
        if is_new:
            Partner.objects.filter(pk=partner.pk, status=Partner.Status.INVITED).delete()
        if isinstance(error, Refused) and Partner.objects.filter(pk=partner.pk, status=_REGISTERED).exists():
            raise Refused(f"{error} {name} registered here meanwhile; that registration stands.") from error
        raise
    return partner


def unregister(partner: Partner) -> str:
    """End the registration with a partner, or withdraw its invitation.

    They are told by a DELETE, as best we can: returns why they did not confirm it, "" when they did.
    Raises Refused when it has ended already.
    """
    if partner.status == Partner.Status.ENDED:
        raise Refused(f"{partner.name} has ended already.")
    unconfirmed = ""
    if partner.is_static:
        unconfirmed = "it has no credentials module; tell them yourself."
    elif partner.status == Partner.Status.REGISTERED:
        try:
            reply = call(partner, method="DELETE", module="credentials", role="")
            unconfirmed = "" if reply.is_success else said(reply)
        except (CallFailed, NoEndpoint) as error:
            unconfirmed = str(error)
    end_registration(partner)
    return unconfirmed


def plain_response_hosts(response_hosts: Sequence[str]) -> list[str]:
    """Return hosts for results in their one spelling, in order. Raises Refused."""
    plain = set()
    for host in response_hosts:
        try:
            plain.add(hosts.plain_host(host))
        except ForbiddenAddress as error:
            raise Refused(f"{host!r} is not a host that we can call: {error}.") from error
    return sorted(plain)


def send_credentials(discovery: Discovery, *, method: str, token: str, body: Any) -> Reply:
    """Call the credentials module that was discovered; they may call back. Raises CallFailed."""
    return send(
        method=method,
        url=discovery.credentials_url,
        token=token,
        raw_token=discovery.sends_raw_tokens,
        body=body,
        deadline_s=POST_DEADLINE_S,
        allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
    )


def said(reply: Reply) -> str:
    """Return what an answer said, for people."""
    ocpi = f", OCPI {reply.status_code} {reply.status_message}".rstrip(" .") if reply.is_envelope else ""
    return f"HTTP {reply.http_status}{ocpi}"


def _post(discovery: Discovery, token: str, offered: str) -> dict[str, Any]:
    """POST our credentials with token A and return theirs. Raises Refused."""
    url = discovery.credentials_url
    try:
        reply = send_credentials(discovery, method="POST", token=token, body=own_credentials(offered))
    except CallFailed as error:
        hint = (
            "" if error.reason in CLEAN_FAILURES else " If they registered us, ask them for a new invitation."
        )
        raise Refused(f"{url} could not be called: {error}.{hint}") from error
    if not reply.is_success:
        raise Refused(f"{url} refused our credentials: {said(reply)}.{_hint(reply)}")
    try:
        return check_answer(reply.data)
    except InvalidParameters as error:
        raise Refused(
            f"{url} answered no usable credentials ({error.message}): ask them to remove the registration."
        ) from error


def _offer(name: str, versions_url: str, *, now: datetime) -> tuple[Partner, str]:
    """Make the token for a POST; committed before it, since they call back with it. Raises Refused."""
    with transaction.atomic():
        lock_partners()
        partner = _unregistered(name=name, now=now)
        if tokens.open_offers(partner, now=now).exists():
            raise Refused(f"{name} is being registered at: try again in a minute.")
        offered = tokens.issue(
            partner,
            InboundToken.Kind.CREDENTIALS,
            now=now,
            offered_until=now + OFFER_LIFE,
            offered_to=versions_url,
        )
    return partner, offered


def _settle(partner: Partner, terms: Terms, *, offered: str, may_steer: bool, now: datetime) -> None:
    """Store the registration, or undo theirs. Raises Refused or InvalidParameters.

    If they registered here while we waited, what they answered is newer: ocpi/partners/crossing.py.
    """
    try:
        with transaction.atomic():
            lock_partners()
            partner.refresh_from_db()
            parties = {party_of(role) for role in terms.roles}
            is_other = parties != set(partner.roles.values_list("role", "country_code", "party_id"))
            if partner.status == _REGISTERED and is_other:
                raise Refused(f"{partner.name} was registered meanwhile.")
            if not tokens.is_offered(partner, offered):
                raise Refused(f"{partner.name} was invited or ended meanwhile.")
            check_parties(terms.roles, partner=partner)
            store(partner, terms, now=now)
            tokens.drop_all_but(partner, offered)
            tokens.settle_offer(partner, offered)
            grants.set_everywhere(partner, is_granted=may_steer, now=now)
    except (Refused, InvalidParameters):
        # Best effort: if they can't be told, they keep a registration whose token opens nothing here.
        with contextlib.suppress(CallFailed):
            send_credentials(terms.discovery, method="DELETE", token=terms.token, body=None)
        raise


def _unregistered(*, name: str, now: datetime) -> Partner:
    """Return the partner of that name, made if new. Raises Refused when it is registered."""
    partner, _ = Partner.objects.select_for_update().get_or_create(name=name, defaults={"created_at": now})
    if partner.status == Partner.Status.REGISTERED:
        raise Refused(_is_registered(name))
    return partner


def _is_registered(name: str) -> str:
    return f"{name} is registered: rotate its credentials, or unregister it first."


def _hint(reply: Reply) -> str:
    if reply.status_code == 3001:
        return f" They must reach this node at {settings.NODE_URL}: is it running there?"
    return ""

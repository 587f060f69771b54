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
from ocpi.partners.models import InboundToken, Partner, PartnerRole
from ocpi.partners.registration import Terms, check_parties, end_registration, lock_partners, store
from ocpi.protocol.addresses import ForbiddenAddress
from ocpi.protocol.client import CallFailed, Reply, send
from ocpi.protocol.errors import InvalidParameters

# They call us back, twice, before they answer.
POST_DEADLINE_S = 30.0
# Until then the use of an offered token confirms nothing: our POST or PUT that carries it is under way.
OFFER_LIFE = timedelta(seconds=2 * POST_DEADLINE_S)
# These failures happen before the other side could act on what we sent.
CLEAN_FAILURES = frozenset({"forbidden_address", "unreachable", "tls"})


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

    When that platform registers here at the same moment, both registrations are one. Raises Refused or
    InvalidParameters with the reason, or the errors of `discover`; then nothing is kept and the same name may
    be tried again.
    """
    if Partner.objects.filter(name=name, status=Partner.Status.REGISTERED).exists():
        raise Refused(_is_registered(name))
    discovery = discover(versions_url, token)
    is_new = not Partner.objects.filter(name=name).exists()
    # Committed before we POST: the other side calls back with this token inside our request.
    with transaction.atomic():
        partner = _unregistered(name=name, now=now)
        offered = tokens.issue(
            partner, InboundToken.Kind.CREDENTIALS, now=now, offered_until=now + OFFER_LIFE
        )
    try:
        answer = _post(discovery, token, offered)
        terms = Terms(
            token=answer["token"], versions_url=versions_url, roles=answer["roles"], discovery=discovery
        )
        settled = _settle(partner, terms, offered=offered, may_steer=may_steer, began_at=now)
    except BaseException:
        # Whatever ended it, also Ctrl-C: a token of ours that nobody will use must not stay open.
        tokens.drop(partner, offered)
        if is_new:
            _drop_placeholder(partner)
        raise
    if is_new and settled != partner:
        _drop_placeholder(partner)
    return settled


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


def _settle(partner: Partner, terms: Terms, *, offered: str, may_steer: bool, began_at: datetime) -> Partner:
    """Store the registration and return its partner, or undo theirs. Raises Refused or InvalidParameters."""
    try:
        with transaction.atomic():
            lock_partners()
            twin = _registered_meanwhile(terms.roles, began_at=began_at)
            settled = twin or Partner.objects.get(pk=partner.pk)
            if twin is None and settled.status == Partner.Status.REGISTERED:
                raise Refused(f"{partner.name} was registered meanwhile.")
            check_parties(terms.roles, partner=settled)
            store(settled, terms, now=began_at)
            if twin is None:
                tokens.drop_all_but(settled, offered)
            # A twin's tokens stay: whichever the other side keeps is confirmed by its first use.
            tokens.give(partner, offered, to=settled)
            tokens.settle_offer(settled, offered)
            grants.set_everywhere(settled, is_granted=may_steer, now=began_at)
    except (Refused, InvalidParameters):
        # Best effort: if they can't be told, they keep a registration whose token opens nothing here.
        with contextlib.suppress(CallFailed):
            send_credentials(terms.discovery, method="DELETE", token=terms.token, body=None)
        raise
    return settled


def _registered_meanwhile(roles: list[dict[str, Any]], *, began_at: datetime) -> Partner | None:
    """Return the partner with these parties that registered here while we registered there.

    Each side then holds a token that the other gave it in its POST, and one from the answer to its own.
    """
    recent = PartnerRole.objects.filter(
        partner__status=Partner.Status.REGISTERED, partner__registered_at__gte=began_at
    )
    for role in roles:
        name, country_code, party_id = party_of(role)
        same = recent.filter(role=name, country_code=country_code, party_id=party_id)
        found = same.select_related("partner").first()
        if found is not None:
            return found.partner
    return None


def _drop_placeholder(partner: Partner) -> None:
    """Forget a partner that came to nothing."""
    Partner.objects.filter(pk=partner.pk, status=Partner.Status.INVITED).delete()


def send_credentials(discovery: Discovery, *, method: str, token: str, body: Any) -> Reply:
    """Call a partner's credentials module with a token of theirs. Raises CallFailed."""
    return send(
        method=method,
        url=discovery.credentials_url,
        token=token,
        raw_token=discovery.sends_raw_tokens,
        body=body,
        deadline_s=POST_DEADLINE_S,
        allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
    )


def _unregistered(*, name: str, now: datetime) -> Partner:
    """Return the partner of that name, made if new. Raises Refused when it is registered."""
    partner, _ = Partner.objects.select_for_update().get_or_create(name=name, defaults={"created_at": now})
    if partner.status == Partner.Status.REGISTERED:
        raise Refused(_is_registered(name))
    return partner


def _is_registered(name: str) -> str:
    return f"{name} is registered: rotate its credentials, or unregister it first."


def said(reply: Reply) -> str:
    """Return what an answer said, for people."""
    ocpi = f", OCPI {reply.status_code} {reply.status_message}".rstrip() if reply.is_envelope else ""
    return f"HTTP {reply.http_status}{ocpi}"


def _hint(reply: Reply) -> str:
    if reply.status_code == 3001:
        return f" They must reach this node at {settings.NODE_URL}: is it running there?"
    return ""

"""The tokens that open our doors: issued once, found by digest, and confirmed by their first use."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.secrets import digest, new_token


def issue(
    partner: Partner,
    kind: str,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    offered_until: datetime | None = None,
    offered_to: str = "",
) -> str:
    """Make a token for a partner and return its text, the only time that it is known.

    `offered_until` marks a token that travels in a POST or PUT of ours: until then its use confirms nothing.
    `offered_to` is the versions address of the platform that a POST goes to.
    """
    token = new_token()
    InboundToken.objects.create(
        partner=partner,
        kind=kind,
        digest=digest(token),
        created_at=now,
        expires_at=expires_at,
        offered_until=offered_until,
        offered_to=_address(offered_to),
    )
    return token


def match(candidates: Sequence[str], *, now: datetime) -> tuple[InboundToken, str] | None:
    """Return the living token that the first fitting candidate names, with that candidate.

    The partner comes with it: one query. Expired tokens match nothing.
    """
    if not candidates:
        return None
    digests = {digest(candidate): candidate for candidate in reversed(candidates)}
    found = InboundToken.objects.select_related("partner").filter(
        Q(expires_at=None) | Q(expires_at__gt=now), digest__in=digests
    )
    by_digest = {token.digest: token for token in found}
    for candidate in candidates:
        wanted = digest(candidate)
        token = by_digest.get(wanted)
        if token is not None and hmac.compare_digest(token.digest, wanted):
            return token, candidate
    return None


def confirm(token: InboundToken, *, now: datetime) -> None:
    """Note the first use of a credentials token: it ends the older ones of the same partner.

    Nothing happens while the PUT that carries it is unanswered: the other side calls back with it before it
    takes it (OCPI 2.2.1 credentials, PUT), and may still refuse.
    """
    if token.used_at is not None or token.kind != InboundToken.Kind.CREDENTIALS:
        return
    if token.offered_until is not None and token.offered_until > now:
        return
    with transaction.atomic():
        if InboundToken.objects.filter(pk=token.pk, used_at=None).update(used_at=now):
            _older(token).delete()


def limit_others(partner: Partner, agreed: str, *, now: datetime, grace_s: int) -> None:
    """Let the credentials tokens beside `agreed` (its text) open for `grace_s` seconds more, 0 for none.

    What travels to them is no token yet, and left alone.
    """
    others = InboundToken.objects.filter(partner=partner, kind=InboundToken.Kind.CREDENTIALS)
    others = others.exclude(digest=digest(agreed)).exclude(offered_until__gt=now)
    if grace_s > 0:
        expires_at = now + timedelta(seconds=grace_s)
        others.filter(Q(expires_at=None) | Q(expires_at__gt=expires_at)).update(expires_at=expires_at)
    else:
        others.delete()


def open_offers(partner: Partner, *, to: str = "", now: datetime) -> QuerySet[InboundToken]:
    """Return the tokens that travel in unanswered requests of ours to a partner, or a versions address."""
    goes_there = Q(partner=partner) | Q(offered_to=_address(to)) if to else Q(partner=partner)
    return InboundToken.objects.filter(goes_there, offered_until__gt=now)


def is_offered(partner: Partner, token: str) -> bool:
    """Tell whether a token that we sent still waits for the answer: nothing newer took its place."""
    return InboundToken.objects.filter(
        partner=partner, digest=digest(token), offered_until__isnull=False
    ).exists()


def settle_offer(partner: Partner, token: str) -> None:
    """Note that the request which carried a token is over: its next use is the first that counts."""
    InboundToken.objects.filter(partner=partner, digest=digest(token)).update(
        offered_until=None, offered_to=""
    )


def drop(partner: Partner, token: str) -> None:
    """Forget one token."""
    InboundToken.objects.filter(partner=partner, digest=digest(token)).delete()


def drop_unused(partner: Partner, token: str) -> None:
    """Forget a token that the other side refused, unless it was used all the same."""
    InboundToken.objects.filter(partner=partner, digest=digest(token), used_at=None).delete()


def drop_all_but(partner: Partner, token: str) -> None:
    """Forget every token of a partner but one."""
    InboundToken.objects.filter(partner=partner).exclude(digest=digest(token)).delete()


def drop_all_but_offers(partner: Partner, *, now: datetime) -> None:
    """Forget every token of a partner but what travels to it in an unanswered request of ours."""
    InboundToken.objects.filter(partner=partner).exclude(offered_until__gt=now).delete()


def drop_all(partner: Partner) -> None:
    """Forget every token of a partner: nothing of it opens any more."""
    InboundToken.objects.filter(partner=partner).delete()


def _older(token: InboundToken) -> QuerySet[InboundToken]:
    return InboundToken.objects.filter(
        partner_id=token.partner_id, kind=InboundToken.Kind.CREDENTIALS, pk__lt=token.pk
    )


def _address(url: str) -> str:
    """Return an address as two spellings of it compare."""
    return url.rstrip("/")

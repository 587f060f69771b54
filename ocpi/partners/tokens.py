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
) -> str:
    """Make a token for a partner and return its text, the only time that it is known.

    `offered_until` marks a token that travels in a PUT of ours: until then its use confirms nothing.
    """
    token = new_token()
    InboundToken.objects.create(
        partner=partner,
        kind=kind,
        digest=digest(token),
        created_at=now,
        expires_at=expires_at,
        offered_until=offered_until,
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


def limit_older(partner: Partner, newest: str, *, now: datetime, grace_s: int) -> None:
    """Let the credentials tokens before `newest` (its text) open for `grace_s` seconds more, 0 for none."""
    older = _older(InboundToken.objects.get(partner=partner, digest=digest(newest)))
    if grace_s > 0:
        expires_at = now + timedelta(seconds=grace_s)
        older.filter(Q(expires_at=None) | Q(expires_at__gt=expires_at)).update(expires_at=expires_at)
    else:
        older.delete()


def settle_offer(partner: Partner, token: str) -> None:
    """Note that the PUT which carried a token is over: its next use is the first that counts."""
    InboundToken.objects.filter(partner=partner, digest=digest(token)).update(offered_until=None)


def drop(partner: Partner, token: str) -> None:
    """Forget one token."""
    InboundToken.objects.filter(partner=partner, digest=digest(token)).delete()


def drop_unused(partner: Partner, token: str) -> None:
    """Forget a token that the other side refused, unless it was used all the same."""
    InboundToken.objects.filter(partner=partner, digest=digest(token), used_at=None).delete()


def drop_all_but(partner: Partner, token: str) -> None:
    """Forget every token of a partner but one."""
    InboundToken.objects.filter(partner=partner).exclude(digest=digest(token)).delete()


def drop_all_but_offered(partner: Partner, *, now: datetime) -> None:
    """Forget every token of a partner but those that travel in a POST of ours at this moment."""
    InboundToken.objects.filter(partner=partner).exclude(offered_until__gt=now).delete()


def give(partner: Partner, token: str, *, to: Partner) -> None:
    """Let a token open for another partner, which turned out to be the same platform."""
    InboundToken.objects.filter(partner=partner, digest=digest(token)).update(partner=to)


def drop_all(partner: Partner) -> None:
    """Forget every token of a partner: nothing of it opens any more."""
    InboundToken.objects.filter(partner=partner).delete()


def _older(token: InboundToken) -> QuerySet[InboundToken]:
    return InboundToken.objects.filter(
        partner_id=token.partner_id, kind=InboundToken.Kind.CREDENTIALS, pk__lt=token.pk
    )

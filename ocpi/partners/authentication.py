"""Who is calling: the credentials token of every request (OCPI 2.2.1 transport, Authorization header)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ocpi.partners import tokens
from ocpi.partners.guesses import address_behind, wrong_tokens
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.own import is_ours
from ocpi.protocol.errors import InvalidParameters, TooManyRequests, Unauthorized
from ocpi.protocol.headers import Routing, authorization, token_candidates
from ocpi.protocol.quirks import Quirk

SEEN_EVERY = timedelta(seconds=1)


@dataclass(frozen=True)
class Caller:
    """The partner behind a request, and the token it showed."""

    partner: Partner
    token: InboundToken
    token_text: str = field(repr=False)

    @property
    def is_invited(self) -> bool:
        """Tell whether the token is a token A, which may register."""
        return self.token.kind == InboundToken.Kind.INVITATION

    @property
    def is_registered(self) -> bool:
        """Tell whether the token opens the functional modules."""
        return (
            self.token.kind == InboundToken.Kind.CREDENTIALS
            and self.partner.status == Partner.Status.REGISTERED
        )

    @property
    def refused_quirks(self) -> frozenset[Quirk]:
        """The quirks that are not borne from this caller."""
        return self.partner.refuses

    def check_routing(self, routing: Routing) -> None:
        """Check that a message goes to a party of ours, and comes from one that the partner may speak for.

        Raises InvalidParameters. The 4001 for an unknown receiver is a hub's (OCPI 2.2.1 status_codes).
        """
        if not is_ours(routing.to_party):
            raise InvalidParameters(
                f"OCPI-to-party-id: {'-'.join(routing.to_party)} is not a party of this platform."
            )
        if not self.partner.speaks_for(routing.from_party):
            raise InvalidParameters(
                f"OCPI-from-party-id: {'-'.join(routing.from_party)} is not one of your parties."
            )


class CredentialsTokenAuthentication(BaseAuthentication):
    """Authenticates by `Authorization: Token`; `request.auth` becomes the Caller.

    Functional modules open to registered partners only, versions and credentials to a token A too.
    """

    def authenticate(self, request: Request) -> tuple[None, Caller]:
        """Return (None, Caller). Raises Unauthorized, or TooManyRequests to an address that guesses."""
        now = timezone.now()
        header = request.META.get("HTTP_AUTHORIZATION")
        matched = tokens.match(token_candidates(header), now=now)
        if matched is None:
            _refuse(request, header, now)
        caller = Caller(matched[0].partner, *matched)
        if Quirk.RAW_TOKENS in caller.refused_quirks and header != authorization(caller.token_text):
            raise Unauthorized("The token must come as Authorization: Token <Base64 of it>.")
        view = (request.parser_context or {}).get("view")
        if getattr(view, "is_functional", True) and not caller.is_registered:
            raise Unauthorized("This token opens only versions and credentials: register first.")
        tokens.confirm(caller.token, now=now)
        _note_seen(caller.partner, now)
        return None, caller

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme for WWW-Authenticate."""
        return "Token"


def caller_of(request: Request) -> Caller:
    """Return who makes an authenticated request, with any token. Raises Unauthorized."""
    if not isinstance(request.auth, Caller):
        raise Unauthorized("A credentials token is needed.")
    return request.auth


def partner_of(request: Request) -> Partner:
    """Return the registered partner that makes a request. Raises Unauthorized, e.g. for a token A."""
    caller = caller_of(request)
    if not caller.is_registered:
        raise Unauthorized("This token opens only versions and credentials: register first.")
    return caller.partner


def _refuse(request: Request, header: str | None, now: datetime) -> NoReturn:
    # One answer for every reason: it tells nothing about which tokens exist.
    refusal = Unauthorized(
        "The credentials token is missing or not known: Authorization: Token <Base64 of it>."
    )
    if not header:
        raise refusal
    address = address_behind(
        request.META.get("REMOTE_ADDR", ""), forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", "")
    )
    retry_after_s = wrong_tokens.count(address, now=now)
    if retry_after_s:
        raise TooManyRequests("Too many wrong tokens from this address.", retry_after_s=retry_after_s)
    raise refusal


def _note_seen(partner: Partner, now: datetime) -> None:
    """Keep when the partner was last heard, writing at most once a second."""
    seen_before = now - SEEN_EVERY
    if partner.last_seen_at is not None and partner.last_seen_at > seen_before:
        return
    Partner.objects.filter(Q(last_seen_at=None) | Q(last_seen_at__lte=seen_before), pk=partner.pk).update(
        last_seen_at=now
    )

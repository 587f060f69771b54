"""Who may see which of our sessions: by grant, or because the session's token is one of their parties'."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from ocpi.partners import grants
from ocpi.partners.models import Partner, PartnerRole
from ocpi.protocol.types import fold
from sessions.models import Session


def find_own(session_id: str) -> Session | None:
    """Return our own session with this id, or None."""
    return Session.objects.filter(partner=None, key=fold(session_id)).first()


def visible_to(partner: Partner) -> QuerySet[Session]:
    """Return our own sessions that the partner may see."""
    own = Session.objects.filter(partner=None)
    if grants.granted_everything(partner):
        return own
    seen = Q(location_id__in=grants.granted_locations(partner))
    for country_code, party_id in grants.parties(partner):
        seen |= Q(token_country_code=country_code, token_party_id=party_id)
    return own.filter(seen)


def entitled(session: Session) -> QuerySet[Partner]:
    """Return the registered partners that receive this session of ours: they may see it and take sessions.

    A hub alone does not: a push addressed to it is for everybody, which sessions never are (OCPI 2.2.1
    transport_and_format, "Broadcast Push").
    """
    may_see = grants.partners_for(location_id=session.location_id, token_party=session.token_party)
    takes = may_see.filter(endpoints__identifier="sessions", endpoints__role="RECEIVER")
    return takes.filter(pk__in=PartnerRole.objects.exclude(role="HUB").values("partner"))

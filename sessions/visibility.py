"""Who may see which of our sessions: by grant, or because the session's token is one of their parties'."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from ocpi.partners import grants
from ocpi.partners.models import Partner, PartnerRole
from ocpi.partners.own import Party
from ocpi.protocol.types import fold
from sessions.models import Session

# Each part is a query: more granted locations than so many are one part together, and so are more parts.
MOST_PARTS = 10


def find_own(session_id: str, party: Party | None = None) -> Session | None:
    """Return our own session with this id, or None; of any party of ours, or of the one named."""
    return _own(party).filter(key=fold(session_id)).first()


def visible_to(partner: Partner, party: Party | None = None) -> QuerySet[Session]:
    """Return our own sessions that the partner may see, of all our parties or of the one named."""
    own = _own(party)
    if grants.granted_everything(partner):
        return own
    seen = Q(pk__in=[])
    for (country_code, party_id), granted in grants.granted_locations(partner).items():
        at_party = Q(country_code=country_code, party_id=party_id)
        is_whole = grants.ALL_LOCATIONS in granted
        seen |= at_party if is_whole else at_party & Q(location_id__in=granted)
    for country_code, party_id in grants.parties(partner):
        seen |= Q(token_country_code=country_code, token_party_id=party_id)
    return own.filter(seen)


def parts_visible_to(partner: Partner, party: Party | None = None) -> list[QuerySet[Session]]:
    """Return what `visible_to` does, in parts that an index has in order of key; a session may be in two."""
    own = _own(party)
    if grants.granted_everything(partner):
        return [own]
    parts = []
    for (country_code, party_id), granted in grants.granted_locations(partner).items():
        of_party = own.filter(country_code=country_code, party_id=party_id)
        if grants.ALL_LOCATIONS in granted:
            parts.append(of_party)
        elif len(granted) > MOST_PARTS:
            parts.append(of_party.filter(location_id__in=granted))
        else:
            parts += [of_party.filter(location_id=location_id) for location_id in granted]
    for country_code, party_id in grants.parties(partner):
        parts.append(own.filter(token_country_code=country_code, token_party_id=party_id))
    return parts if len(parts) <= MOST_PARTS else [visible_to(partner, party)]


def entitled(session: Session) -> QuerySet[Partner]:
    """Return the registered partners that receive this session of ours: they may see it and take sessions.

    A hub alone does not: a push addressed to it is for everybody, which sessions never are (OCPI 2.2.1
    transport_and_format, "Broadcast Push").
    """
    may_see = grants.partners_for(
        party=session.party, location_id=session.location_id, token_party=session.token_party
    )
    takes = may_see.filter(endpoints__identifier="sessions", endpoints__role="RECEIVER")
    return takes.filter(pk__in=PartnerRole.objects.exclude(role="HUB").values("partner"))


def _own(party: Party | None) -> QuerySet[Session]:
    own = Session.objects.filter(partner=None)
    return own if party is None else own.filter(country_code=party[0], party_id=party[1])

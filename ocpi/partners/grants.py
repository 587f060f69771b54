"""Who may see and steer a session: by a grant of ours, or because its token is of one of their parties."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from ocpi.partners.models import Grant, Partner, PartnerRole
from ocpi.protocol.types import fold

ALL_LOCATIONS = ""


def may_steer(partner: Partner, *, location_id: str, token_party: tuple[str, str]) -> bool:
    """Tell whether a partner may see and steer a session at one of our locations.

    `token_party` is the (country_code, party_id) of the session's cdr_token.
    """
    if partner.status != Partner.Status.REGISTERED:
        return False
    return (
        partner.grants.filter(_covers(location_id)).exists()
        or token_parties(partner).filter(**_party(token_party)).exists()
    )


def partners_for(*, location_id: str, token_party: tuple[str, str]) -> QuerySet[Partner]:
    """Return the registered partners that may see a session at one of our locations."""
    granted = Grant.objects.filter(_covers(location_id)).values("partner")
    token_owners = _token_roles().filter(**_party(token_party)).values("partner")
    return Partner.objects.filter(
        Q(pk__in=granted) | Q(pk__in=token_owners), status=Partner.Status.REGISTERED
    )


def granted_everything(partner: Partner) -> bool:
    """Tell whether a partner may steer at all our locations."""
    return partner.grants.filter(location_id=ALL_LOCATIONS).exists()


def granted_locations(partner: Partner) -> list[str]:
    """Return the ids of the locations at which a partner may steer, folded as keys are."""
    locations = partner.grants.exclude(location_id=ALL_LOCATIONS)
    return [fold(location_id) for location_id in locations.values_list("location_id", flat=True)]


def parties(partner: Partner) -> list[tuple[str, str]]:
    """Return the (country_code, party_id) whose tokens let a partner see a session."""
    return list(token_parties(partner).values_list("country_code", "party_id").distinct().order_by())


def token_parties(partner: Partner) -> QuerySet[PartnerRole]:
    """Return the roles of a partner that may own tokens."""
    return _token_roles().filter(partner=partner)


def grant(partner: Partner, *, location_id: str = ALL_LOCATIONS, now: datetime) -> Grant:
    """Let a partner see and steer sessions at one location of ours, or at all; twice is once."""
    return Grant.objects.get_or_create(
        partner=partner, location_id=fold(location_id), defaults={"created_at": now}
    )[0]


def set_everywhere(partner: Partner, *, is_granted: bool, now: datetime) -> None:
    """Make the grant on all our locations what the operator said last."""
    if is_granted:
        grant(partner, now=now)
    else:
        partner.grants.filter(location_id=ALL_LOCATIONS).delete()


def revoke(partner: Partner) -> int:
    """Take every grant of a partner away; return how many there were."""
    return partner.grants.all().delete()[0]


def _token_roles() -> QuerySet[PartnerRole]:
    # A CPO owns no tokens; without this, naming somebody's party as CPO would show its drivers' sessions.
    return PartnerRole.objects.exclude(role="CPO")


def _covers(location_id: str) -> Q:
    return Q(location_id=ALL_LOCATIONS) | Q(location_id__iexact=location_id)


def _party(party: tuple[str, str]) -> dict[str, str]:
    return {"country_code": fold(party[0]), "party_id": fold(party[1])}

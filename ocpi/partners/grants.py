"""Who may see and steer a session: by a grant of ours, or because its token is of one of their parties."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from ocpi.partners.models import Grant, Partner, PartnerRole
from ocpi.partners.own import Party, all_parties, party_for
from ocpi.protocol.types import fold

ALL_LOCATIONS = ""
_EVERYTHING = Q(country_code="", party_id="", location_id=ALL_LOCATIONS)


def may_steer(partner: Partner, *, party: Party, location_id: str, token_party: Party) -> bool:
    """Tell whether a partner may see and steer a session at one of our locations.

    `party` is the (country_code, party_id) of ours whose location it is, `token_party` that of the session's
    cdr_token.
    """
    if partner.status != Partner.Status.REGISTERED:
        return False
    return (
        partner.grants.filter(covering(party, location_id)).exists()
        or token_parties(partner).filter(**_party(token_party)).exists()
    )


def partners_for(*, party: Party, location_id: str, token_party: Party) -> QuerySet[Partner]:
    """Return the registered partners that may see a session at one of our locations."""
    granted = Grant.objects.filter(covering(party, location_id)).values("partner")
    token_owners = _token_roles().filter(**_party(token_party)).values("partner")
    return Partner.objects.filter(
        Q(pk__in=granted) | Q(pk__in=token_owners), status=Partner.Status.REGISTERED
    )


def covering(party: Party, location_id: str) -> Q:
    """Return the condition for grants that cover a location of a party of ours."""
    of_party = Q(**_party(party))
    return _EVERYTHING | of_party & (Q(location_id=ALL_LOCATIONS) | Q(location_id__iexact=location_id))


def granted_everything(partner: Partner) -> bool:
    """Tell whether a partner may steer at all our locations."""
    return partner.grants.filter(_EVERYTHING).exists()


def granted_locations(partner: Partner) -> dict[Party, set[str]]:
    """Return the locations at which a partner may steer, by their party of ours and folded as keys are.

    ALL_LOCATIONS among them stands for all of that party; a grant on everything is not told here.
    """
    found: dict[Party, set[str]] = {}
    for one in partner.grants.exclude(_EVERYTHING):
        found.setdefault((one.country_code, one.party_id), set()).add(fold(one.location_id))
    return found


def parties(partner: Partner) -> list[Party]:
    """Return the (country_code, party_id) whose tokens let a partner see a session."""
    return list(token_parties(partner).values_list("country_code", "party_id").distinct().order_by())


def token_parties(partner: Partner) -> QuerySet[PartnerRole]:
    """Return the roles of a partner that may own tokens."""
    return _token_roles().filter(partner=partner)


def grant(
    partner: Partner, *, location_id: str = ALL_LOCATIONS, party: Party | None = None, now: datetime
) -> Grant:
    """Let a partner see and steer sessions at all our locations, those of one party, or one; twice is once.

    A location is one of `party`, or else of the party that chargers are added to by default.
    """
    if location_id != ALL_LOCATIONS:
        party = party or party_for("CPO")
    country_code, party_id = party or ("", "")
    return Grant.objects.get_or_create(
        partner=partner,
        country_code=fold(country_code),
        party_id=fold(party_id),
        location_id=fold(location_id),
        defaults={"created_at": now},
    )[0]


def set_everywhere(partner: Partner, *, is_granted: bool, now: datetime) -> None:
    """Make the grant on all our locations what the operator said last; others stay."""
    if is_granted:
        grant(partner, now=now)
    else:
        partner.grants.filter(_EVERYTHING).delete()


def revoke(partner: Partner) -> int:
    """Take every grant of a partner away; return how many there were."""
    return partner.grants.all().delete()[0]


def _token_roles() -> QuerySet[PartnerRole]:
    # A CPO owns no tokens; without this, naming somebody's party as CPO would show its drivers' sessions.
    roles = PartnerRole.objects.exclude(role="CPO")
    for own in all_parties():
        # A party that became ours after a partner registered with it.
        roles = roles.exclude(**_party(own))
    return roles


def _party(party: Party) -> dict[str, str]:
    return {"country_code": fold(party[0]), "party_id": fold(party[1])}

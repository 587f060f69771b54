"""What we push of our locations: the whole Location when it changed, or only an EVSE's status."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from locations.documents import whole_location
from locations.models import Evse, Location
from ocpi.delivery.duties import owe_push
from ocpi.delivery.kinds import Message, register_push
from ocpi.partners import grants
from ocpi.partners.models import Grant, Partner, PartnerRole

LOCATION_KIND = "location"
EVSE_STATUS_KIND = "evse_status"
# Roles whose work is to show charging locations to drivers.
SHOWING_ROLES = ["EMSP", "NSP", "HUB"]


def entitled(location: Location) -> QuerySet[Partner]:
    """Return the registered partners that receive this location of ours.

    They take locations, and hold a grant on it; a published one also goes to every partner that holds any
    grant or shows locations to drivers.
    """
    covering = grants.covering((location.country_code, location.party_id), location.location_id)
    may_see = Q(pk__in=Grant.objects.filter(covering).values("partner"))
    if location.document["publish"]:
        showing = PartnerRole.objects.filter(role__in=SHOWING_ROLES)
        may_see |= Q(pk__in=Grant.objects.values("partner")) | Q(pk__in=showing.values("partner"))
    return Partner.objects.filter(
        may_see,
        status=Partner.Status.REGISTERED,
        endpoints__identifier="locations",
        endpoints__role="RECEIVER",
    )


def owe_location(location: Location, *, now: datetime) -> None:
    """Owe the whole location to everyone entitled."""
    _owe(location, LOCATION_KIND, location.pk, now=now)


def owe_evse_status(evse: Evse, location: Location, *, now: datetime) -> None:
    """Owe the EVSE's status to everyone entitled."""
    _owe(location, EVSE_STATUS_KIND, evse.pk, now=now)


def render_location(partner: Partner, object_key: str, sent_document: Any) -> Message | None:
    """Build the PUT of a whole location; None when it is gone or no longer theirs to see."""
    location = Location.objects.filter(pk=object_key, partner=None).first()
    if location is None or not entitled(location).filter(pk=partner.pk).exists():
        return None
    return _put(location, creates=sent_document is None)


def render_evse_status(partner: Partner, object_key: str, sent_document: Any) -> Message | None:
    """Build the PATCH of an EVSE's status; a partner that lacks the EVSE gets the whole location.

    Spec: OCPI 2.2.1 mod_locations, "Example: a simple status update".
    """
    evse = Evse.objects.select_related("location").filter(pk=object_key, location__partner=None).first()
    if evse is None or not entitled(evse.location).filter(pk=partner.pk).exists():
        return None
    whole = _put(evse.location)
    status = {"status": evse.status, "last_updated": evse.document["last_updated"]}
    return Message(
        method="PATCH",
        module="locations",
        role="RECEIVER",
        path=(*whole.path, evse.uid),
        body=status,
        document=status,
        whole=whole,
        from_party=whole.from_party,
    )


def _owe(location: Location, kind: str, key: int, *, now: datetime) -> None:
    # One subject: a PUT of the location and a PATCH of its EVSE must not overtake each other.
    subject = f"location:{location.pk}"
    for partner in entitled(location):
        owe_push(partner=partner, kind=kind, object_key=str(key), subject=subject, now=now)


def _put(location: Location, *, creates: bool = False) -> Message:
    document = whole_location(location, location.evses.all())
    return Message(
        method="PUT",
        module="locations",
        role="RECEIVER",
        path=(location.country_code, location.party_id, location.location_id),
        body=document,
        document=document,
        from_party=(location.country_code, location.party_id),
        creates=creates,
    )


def register() -> None:
    """Tell delivery how our pushes are built."""
    register_push(LOCATION_KIND, render_location)
    register_push(EVSE_STATUS_KIND, render_evse_status)

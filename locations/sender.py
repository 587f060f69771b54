"""Locations Sender: partners read our own Locations (OCPI 2.2.1 mod_locations, "Sender Interface")."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from locations.documents import connector_of, evse_of, location_key, whole_location
from locations.models import Location
from ocpi.partners import grants
from ocpi.partners.authentication import partner_of
from ocpi.partners.models import Partner
from ocpi.partners.own import Party, addressed, all_parties
from ocpi.partners.versions import endpoint_url
from ocpi.protocol.envelope import success
from ocpi.protocol.errors import UnknownLocation
from ocpi.protocol.pagination import paginated
from ocpi.protocol.views import OcpiView


def visible_to(partner: Partner, party: Party | None = None) -> QuerySet[Location]:
    """Return our own locations that the partner may see: published ones, and those it holds a grant on.

    Where the request names a `party` of ours, only that party's.
    """
    own = Location.objects.filter(partner=None).prefetch_related("evses")
    if party is not None:
        own = own.filter(country_code=party[0], party_id=party[1])
    if grants.granted_everything(partner):
        return own
    seen = Q(document__publish=True)
    for (country_code, party_id), granted in grants.granted_locations(partner).items():
        if grants.ALL_LOCATIONS in granted:
            seen |= Q(country_code=country_code, party_id=party_id)
        else:
            seen |= Q(key__in=[location_key(country_code, party_id, one) for one in granted])
    return own.filter(seen)


def _find(request: Request, location_id: str) -> Location:
    """Return the location; where several of our parties have one of this id, the first of them's."""
    party = addressed(request)
    keys = [location_key(*one, location_id) for one in ([party] if party else all_parties())]
    found = {one.key: one for one in visible_to(partner_of(request), party).filter(key__in=keys)}
    for key in keys:
        if key in found:
            return found[key]
    raise UnknownLocation(f"There is no location {location_id}.")


def _render(locations: list[Location]) -> list[dict[str, Any]]:
    return [whole_location(location, location.evses.all()) for location in locations]


class LocationsView(OcpiView):
    """Our Locations, page by page."""

    def get(self, request: Request) -> Response:
        """Answer a page of whole Locations, each with all its EVSEs."""
        url = endpoint_url("locations", "SENDER")
        seen = visible_to(partner_of(request), addressed(request))
        return paginated(request, seen, _render, url=url, now=timezone.now())


class LocationView(OcpiView):
    """One Location of ours."""

    def get(self, request: Request, location_id: str) -> Response:
        """Answer the Location."""
        return success(_render([_find(request, location_id)])[0])


class EvseView(OcpiView):
    """One EVSE of ours."""

    def get(self, request: Request, location_id: str, evse_uid: str) -> Response:
        """Answer the EVSE."""
        return success(evse_of(_find(request, location_id), evse_uid).document)


class ConnectorView(OcpiView):
    """One Connector of ours."""

    def get(self, request: Request, location_id: str, evse_uid: str, connector_id: str) -> Response:
        """Answer the Connector."""
        return success(connector_of(evse_of(_find(request, location_id), evse_uid), connector_id))

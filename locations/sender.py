"""Locations Sender: partners read our own Locations (OCPI 2.2.1 mod_locations, "Sender Interface")."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from locations.documents import connector_of, evse_of, own_location_key, whole_location
from locations.models import Location
from ocpi.partners import grants
from ocpi.partners.authentication import partner_of
from ocpi.partners.models import Partner
from ocpi.partners.versions import endpoint_url
from ocpi.protocol.envelope import success
from ocpi.protocol.errors import UnknownLocation
from ocpi.protocol.pagination import paginated
from ocpi.protocol.views import OcpiView


def visible_to(partner: Partner) -> QuerySet[Location]:
    """Return our own locations that the partner may see: published ones, and those it holds a grant on."""
    own = Location.objects.filter(partner=None).prefetch_related("evses")
    if grants.granted_everything(partner):
        return own
    granted = [own_location_key(location_id) for location_id in grants.granted_locations(partner)]
    return own.filter(Q(document__publish=True) | Q(key__in=granted))


def _find(request: Request, location_id: str) -> Location:
    location = visible_to(partner_of(request)).filter(key=own_location_key(location_id)).first()
    if location is None:
        raise UnknownLocation(f"There is no location {location_id}.")
    return location


def _render(locations: list[Location]) -> list[dict[str, Any]]:
    return [whole_location(location, location.evses.all()) for location in locations]


class LocationsView(OcpiView):
    """Our Locations, page by page."""

    def get(self, request: Request) -> Response:
        """Answer a page of whole Locations, each with all its EVSEs."""
        url = endpoint_url("locations", "SENDER")
        return paginated(request, visible_to(partner_of(request)), _render, url=url, now=timezone.now())


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

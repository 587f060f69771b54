"""Locations Receiver: partners store their Locations, EVSEs and Connectors with us.

Spec: OCPI 2.2.1 mod_locations, "Receiver Interface". `ids` are the rest of the URL: location_id, evse_uid and
connector_id, as deep as the view.
"""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from locations import received
from locations.documents import connector_of, evse_of, whole_location
from locations.updates import asking_again, check_owner
from ocpi.partners.authentication import partner_of
from ocpi.partners.models import Partner
from ocpi.protocol.envelope import success
from ocpi.protocol.views import OcpiView


def _owner(request: Request, country_code: str, party_id: str) -> tuple[Partner, tuple[str, str]]:
    partner, party = partner_of(request), (country_code, party_id)
    check_owner(partner, party)
    return partner, party


class LocationView(OcpiView):
    """One Location of a partner."""

    def get(self, request: Request, country_code: str, party_id: str, location_id: str) -> Response:
        """Answer the stored Location."""
        location = received.find_received(*_owner(request, country_code, party_id), location_id)
        return success(whole_location(location, location.evses.all()))

    def put(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Create or replace the Location."""
        partner, party = _owner(request, country_code, party_id)
        is_new = received.put_location(
            partner=partner, party=party, body=request.data, now=timezone.now(), **ids
        )
        return success(http_status=201 if is_new else 200)

    def patch(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Change some fields of the Location."""
        partner, party = _owner(request, country_code, party_id)
        now = timezone.now()
        with asking_again(partner, now=now):
            received.patch_location(partner=partner, party=party, body=request.data, now=now, **ids)
        return success()


class EvseView(OcpiView):
    """One EVSE of a partner's Location."""

    def get(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Answer the stored EVSE."""
        location = received.find_received(*_owner(request, country_code, party_id), ids["location_id"])
        return success(evse_of(location, ids["evse_uid"]).document)

    def put(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Create or replace the EVSE."""
        partner, party = _owner(request, country_code, party_id)
        now = timezone.now()
        with asking_again(partner, now=now):
            is_new = received.put_evse(partner=partner, party=party, body=request.data, now=now, **ids)
        return success(http_status=201 if is_new else 200)

    def patch(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Change some fields of the EVSE."""
        partner, party = _owner(request, country_code, party_id)
        now = timezone.now()
        with asking_again(partner, now=now):
            received.patch_evse(partner=partner, party=party, body=request.data, now=now, **ids)
        return success()


class ConnectorView(OcpiView):
    """One Connector of a partner's EVSE."""

    def get(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Answer the stored Connector."""
        location = received.find_received(*_owner(request, country_code, party_id), ids["location_id"])
        return success(connector_of(evse_of(location, ids["evse_uid"]), ids["connector_id"]))

    def put(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Create or replace the Connector."""
        partner, party = _owner(request, country_code, party_id)
        now = timezone.now()
        with asking_again(partner, now=now):
            is_new = received.put_connector(partner=partner, party=party, body=request.data, now=now, **ids)
        return success(http_status=201 if is_new else 200)

    def patch(self, request: Request, country_code: str, party_id: str, **ids: str) -> Response:
        """Change some fields of the Connector."""
        partner, party = _owner(request, country_code, party_id)
        now = timezone.now()
        with asking_again(partner, now=now):
            received.patch_connector(partner=partner, party=party, body=request.data, now=now, **ids)
        return success()

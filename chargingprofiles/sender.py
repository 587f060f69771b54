"""Sender interface: CPOs bring results and active profiles (OCPI 2.2.1 mod_charging_profiles)."""

from __future__ import annotations

import uuid

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from chargingprofiles.incoming import settle, store_active_profile
from ocpi.partners.authentication import partner_of
from ocpi.protocol.envelope import success
from ocpi.protocol.headers import routing_of
from ocpi.protocol.views import OcpiView


class ResultView(OcpiView):
    """Takes the result of one request: the response_url that we gave with it."""

    def post(self, request: Request, request_id: str) -> Response:
        """Settle the request; the answer SHALL have no data."""
        settle(
            partner=partner_of(request),
            request_id=uuid.UUID(request_id),
            document=request.data,
            now=timezone.now(),
        )
        return success()


class ActiveProfileView(OcpiView):
    """Takes the active profile of a session."""

    def put(self, request: Request, session_id: str) -> Response:
        """Store the ActiveChargingProfile; the answer SHALL have no data."""
        routing = routing_of(request)
        store_active_profile(
            partner=partner_of(request),
            session_id=session_id,
            party=routing.from_party if routing else None,
            document=request.data,
            now=timezone.now(),
        )
        return success()

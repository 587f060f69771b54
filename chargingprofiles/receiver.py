"""Receiver interface: Senders set, clear and read profiles (OCPI 2.2.1 mod_charging_profiles)."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from chargingprofiles.actions import Wish, answer
from chargingprofiles.models import Kind
from chargingprofiles.objects import SET_CHARGING_PROFILE, as_object
from chargingprofiles.query import response_url_and_duration, seconds
from ocpi.partners.authentication import partner_of
from ocpi.partners.hosts import check_response_url
from ocpi.protocol.envelope import success
from ocpi.protocol.headers import message_ids, routing_of
from ocpi.protocol.views import OcpiView


class ProfileView(OcpiView):
    """The charging profile of one session; every refusal is HTTP 200 with a result that says so."""

    def get(self, request: Request, session_id: str) -> Response:
        """Ask the charger for its active profile; the result goes to response_url."""
        response_url, duration = response_url_and_duration(request.META["QUERY_STRING"])
        duration_s = seconds(duration)
        return self._answer(request, session_id, Kind.GET, response_url, duration_s=duration_s)

    def put(self, request: Request, session_id: str) -> Response:
        """Send a profile to the charger; the result goes to response_url."""
        body = SET_CHARGING_PROFILE.check(as_object(request.data))
        return self._answer(
            request, session_id, Kind.SET, body["response_url"], profile=body["charging_profile"]
        )

    def delete(self, request: Request, session_id: str) -> Response:
        """Clear the caller's profile at the charger; the result goes to response_url."""
        response_url, _ = response_url_and_duration(request.META["QUERY_STRING"])
        return self._answer(request, session_id, Kind.CLEAR, response_url)

    def _answer(
        self,
        request: Request,
        session_id: str,
        kind: Kind,
        response_url: str,
        *,
        profile: dict[str, object] | None = None,
        duration_s: int | None = None,
    ) -> Response:
        partner = partner_of(request)
        check_response_url(partner, response_url)
        routing = routing_of(request)
        wish = Wish(
            kind=kind,
            response_url=response_url,
            correlation_id=message_ids(request)[1],
            profile=profile,
            duration_s=duration_s,
            from_party=routing.from_party if routing else None,
            to_party=routing.to_party if routing else None,
        )
        given = answer(partner=partner, session_id=session_id, wish=wish, now=timezone.now())
        return success(given.to_document())

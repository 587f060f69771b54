"""Sessions Sender: partners read our own sessions and tell the driver's preferences.

Spec: OCPI 2.2.1 mod_sessions, "Sender Interface".
"""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.partners.authentication import partner_of
from ocpi.partners.own import addressed
from ocpi.partners.versions import endpoint_url
from ocpi.protocol.envelope import success
from ocpi.protocol.pagination import paginated
from ocpi.protocol.views import OcpiView
from sessions.preferences import set_preferences
from sessions.visibility import parts_visible_to, visible_to


class SessionsView(OcpiView):
    """Our sessions that the partner may see, page by page."""

    def get(self, request: Request) -> Response:
        """Answer a page of Sessions."""
        partner, party = partner_of(request), addressed(request)
        return paginated(
            request,
            # The documents alone: models around them take longer than to read them.
            visible_to(partner, party).values_list("document", flat=True),
            lambda documents: documents,
            url=endpoint_url("sessions", "SENDER"),
            now=timezone.now(),
            parts=parts_visible_to(partner, party),
        )


class ChargingPreferencesView(OcpiView):
    """The driver's preferences for one session."""

    def put(self, request: Request, session_id: str) -> Response:
        """Take the ChargingPreferences; the answer's data is the bare enum value."""
        response = set_preferences(
            partner=partner_of(request),
            party=addressed(request),
            session_id=session_id,
            body=request.data,
        )
        return success(response)

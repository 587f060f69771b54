"""Sessions Receiver: partners store their sessions with us.

Spec: OCPI 2.2.1 mod_sessions, "Receiver Interface".
"""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from locations.updates import asking_again, check_owner
from ocpi.partners.authentication import partner_of
from ocpi.protocol.envelope import success
from ocpi.protocol.views import OcpiView
from sessions import received


class SessionView(OcpiView):
    """One session of a partner."""

    def get(self, request: Request, country_code: str, party_id: str, session_id: str) -> Response:
        """Answer the stored session."""
        partner, party = partner_of(request), (country_code, party_id)
        check_owner(partner, party)
        return success(received.find_received(partner, party, session_id).document)

    def put(self, request: Request, country_code: str, party_id: str, session_id: str) -> Response:
        """Create or replace the session."""
        partner, party = partner_of(request), (country_code, party_id)
        check_owner(partner, party)
        is_new = received.put_session(
            partner=partner, party=party, session_id=session_id, body=request.data, now=timezone.now()
        )
        return success(http_status=201 if is_new else 200)

    def patch(self, request: Request, country_code: str, party_id: str, session_id: str) -> Response:
        """Change some fields of the session."""
        partner, party = partner_of(request), (country_code, party_id)
        check_owner(partner, party)
        now = timezone.now()
        with asking_again(partner, now=now):
            received.patch_session(
                partner=partner, party=party, session_id=session_id, body=request.data, now=now
            )
        return success()

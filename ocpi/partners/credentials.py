"""OCPI 2.2.1 credentials, as receiver: GET, POST, PUT and DELETE."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.partners import registration
from ocpi.partners.authentication import Caller, caller_of
from ocpi.partners.documents import own_credentials
from ocpi.protocol.envelope import success
from ocpi.protocol.errors import MethodNotAllowed
from ocpi.protocol.views import OcpiView


class CredentialsView(OcpiView):
    """Registers partners. A token A may GET and POST, a registered partner's token GET, PUT and DELETE.

    A partner with fixed addresses never registered here: it may only GET.
    """

    is_functional = False

    def get(self, request: Request) -> Response:
        """Answer the credentials that open our doors to the caller: its own token, in clear."""
        return success(own_credentials(caller_of(request).token_text))

    def post(self, request: Request) -> Response:
        """Register a partner that was invited; answer our credentials with token C."""
        caller = caller_of(request)
        if caller.partner.is_static or not caller.is_invited:
            raise self._not_allowed("POST", caller, "You are registered already: use PUT.")
        token = registration.accept_registration(caller, request.data, now=timezone.now())
        return success(own_credentials(token))

    def put(self, request: Request) -> Response:
        """Take a partner's new credentials; answer ours with a new token."""
        caller = caller_of(request)
        if caller.partner.is_static or not caller.is_registered:
            raise self._not_allowed("PUT", caller, "You are not registered yet: use POST.")
        token = registration.update_registration(caller, request.data, now=timezone.now())
        return success(own_credentials(token))

    def delete(self, request: Request) -> Response:
        """End the registration in both directions."""
        caller = caller_of(request)
        if caller.partner.is_static or not caller.is_registered:
            raise self._not_allowed("DELETE", caller, "You are not registered.")
        registration.end_registration(caller.partner)
        return success()

    def _not_allowed(self, method: str, caller: Caller, message: str) -> MethodNotAllowed:
        """Return the refusal, with the methods that this caller's token does open."""
        allowed = ["GET", "POST"] if caller.is_invited else ["GET", "PUT", "DELETE"]
        if caller.partner.is_static:
            allowed = ["GET"]
            message = (
                "Your addresses and tokens are set by hand here: ask the operator to change or end them."
            )
        error = MethodNotAllowed(message, allowed=[one for one in allowed if one != method])
        # DRF would name every method of the view.
        self.headers |= error.headers
        return error

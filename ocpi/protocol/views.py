"""The view that every OCPI address has."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocpi.protocol import quirks
from ocpi.protocol.headers import Routing, lacks_message_ids, routing_of
from ocpi.protocol.parsing import OcpiRequest
from ocpi.protocol.quirks import Quirk


class OcpiView(APIView):
    """An OCPI resource: GET, POST, PUT, PATCH, DELETE as its methods say, 405 with Allow for the rest.

    Functional modules check the routing headers of an authenticated request and answer with them swapped;
    configuration modules (versions, credentials) neither read nor carry them (OCPI 2.2.1
    transport_and_format, "Message Routing Headers"). `request.auth` knows which parties may speak, its
    `check_routing(routing)` raises InvalidParameters, and which `refused_quirks` of the caller are not borne.
    """

    is_functional: bool = True
    http_method_names = ["get", "post", "put", "patch", "delete"]
    _routing: Routing | None = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return none: DRF would overwrite the Allow of a 405 that depends on more than the view."""
        return {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer the request; nothing is refused for its quirks until we know who calls."""
        with quirks.refusing(()):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Return DRF's request around Django's."""
        return OcpiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, and check the routing, before the method is looked at."""
        super().initial(request, *args, **kwargs)
        caller: Any = request.auth
        if caller is None:
            return
        quirks.refuse(caller.refused_quirks)
        if lacks_message_ids(request):
            quirks.tolerate(Quirk.MISSING_MESSAGE_IDS, "X-Request-ID and X-Correlation-ID: both are needed")
        if not self.is_functional:
            return
        self._routing = routing_of(request)
        if self._routing is None:
            quirks.tolerate(Quirk.MISSING_ROUTING, "OCPI-to-party-id: all four routing headers are needed")
        else:
            caller.check_routing(self._routing)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Add the swapped routing headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._routing is not None:
            for name, value in self._routing.swapped().headers.items():
                response[name] = value
        return response

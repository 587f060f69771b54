"""The view that every OCPI address has."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocpi.protocol.headers import routing_of


class OcpiView(APIView):
    """An OCPI resource: GET, POST, PUT, PATCH, DELETE as its methods say, 405 with Allow for the rest.

    Functional modules answer an authenticated request with its routing headers swapped; configuration
    modules (versions, credentials) never carry them (OCPI 2.2.1 transport_and_format, "Message Routing
    Headers").
    """

    is_functional: bool = True
    http_method_names = ["get", "post", "put", "patch", "delete"]
    _is_authenticated = False

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return none: DRF would overwrite the Allow of a 405 that depends on more than the view."""
        return {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate before the method is looked at."""
        super().initial(request, *args, **kwargs)
        self._is_authenticated = request.auth is not None

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Add the swapped routing headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.is_functional and self._is_authenticated:
            routing = routing_of(request)
            if routing is not None:
                for name, value in routing.swapped().headers.items():
                    response[name] = value
        return response

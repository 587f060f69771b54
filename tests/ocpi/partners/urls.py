"""The addresses that partners need, beside one functional module that any registered partner may call."""

from django.urls import include, re_path
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.partners.authentication import partner_of
from ocpi.partners.versions import VersionDetailsView, VersionsView
from ocpi.protocol.envelope import success
from ocpi.protocol.views import OcpiView


class FunctionalView(OcpiView):
    """Answers the name of the caller."""

    def get(self, request: Request) -> Response:
        """Answer who calls."""
        return success({"partner": partner_of(request).name})


urlpatterns = [
    re_path(r"^ocpi/versions/?$", VersionsView.as_view()),
    re_path(r"^ocpi/2.2.1/?$", VersionDetailsView.as_view()),
    re_path(r"^ocpi/2.2.1/credentials", include("ocpi.partners.urls")),
    re_path(r"^ocpi/2.2.1/functional/?$", FunctionalView.as_view()),
]
handler404 = "ocpi.protocol.middleware.not_found"
handler500 = "ocpi.protocol.middleware.server_error"

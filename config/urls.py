"""Every address of the node. OCPI endpoints come from the list that also fills the version details."""

from django.contrib import admin
from django.urls import include, path, re_path

from config.endpoints import ENDPOINTS, VERSION
from config.health import healthz, readyz
from ocpi.partners.own import own_roles
from ocpi.partners.versions import VersionDetailsView, VersionsView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    re_path(r"^ocpi/versions/?$", VersionsView.as_view()),
    re_path(rf"^ocpi/{VERSION}/?$", VersionDetailsView.as_view()),
    # Below each path the patterns begin with their own "/" or nothing: no redirects for slashes.
    *[
        path(f"ocpi/{VERSION}/{endpoint.path}", include(endpoint.urls))
        for endpoint in ENDPOINTS
        if not endpoint.party_role or endpoint.party_role in own_roles()
    ],
]

handler400 = "ocpi.protocol.middleware.bad_request"
handler404 = "ocpi.protocol.middleware.not_found"
handler500 = "ocpi.protocol.middleware.server_error"

"""Addresses of the Locations Sender, below its endpoint."""

from django.urls import re_path

from locations.sender import ConnectorView, EvseView, LocationsView, LocationView

urlpatterns = [
    re_path(r"^/?$", LocationsView.as_view()),
    re_path(r"^/(?P<location_id>[^/]+)/?$", LocationView.as_view()),
    re_path(r"^/(?P<location_id>[^/]+)/(?P<evse_uid>[^/]+)/?$", EvseView.as_view()),
    re_path(
        r"^/(?P<location_id>[^/]+)/(?P<evse_uid>[^/]+)/(?P<connector_id>[^/]+)/?$", ConnectorView.as_view()
    ),
]

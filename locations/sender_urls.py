"""Addresses of the Locations Sender, below its endpoint."""

from django.urls import re_path

from locations.sender import ConnectorView, EvseView, LocationsView, LocationView

urlpatterns = [
    re_path(r"^/?$", LocationsView.as_view()),
    re_path(r"^/(?P<location_id>[^/\x00]+)/?$", LocationView.as_view()),
    re_path(r"^/(?P<location_id>[^/\x00]+)/(?P<evse_uid>[^/\x00]+)/?$", EvseView.as_view()),
    re_path(
        r"^/(?P<location_id>[^/\x00]+)/(?P<evse_uid>[^/\x00]+)/(?P<connector_id>[^/\x00]+)/?$",
        ConnectorView.as_view(),
    ),
]

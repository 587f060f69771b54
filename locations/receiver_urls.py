"""Addresses of the Locations Receiver, below its endpoint."""

from django.urls import re_path

from locations.receiver import ConnectorView, EvseView, LocationView

LOCATION = r"^/(?P<country_code>[^/\x00]+)/(?P<party_id>[^/\x00]+)/(?P<location_id>[^/\x00]+)"

urlpatterns = [
    re_path(rf"{LOCATION}/?$", LocationView.as_view()),
    re_path(rf"{LOCATION}/(?P<evse_uid>[^/\x00]+)/?$", EvseView.as_view()),
    re_path(rf"{LOCATION}/(?P<evse_uid>[^/\x00]+)/(?P<connector_id>[^/\x00]+)/?$", ConnectorView.as_view()),
]

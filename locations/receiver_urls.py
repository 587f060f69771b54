"""Addresses of the Locations Receiver, below its endpoint."""

from django.urls import re_path

from locations.receiver import ConnectorView, EvseView, LocationView

LOCATION = r"^/(?P<country_code>[^/]+)/(?P<party_id>[^/]+)/(?P<location_id>[^/]+)"

urlpatterns = [
    re_path(rf"{LOCATION}/?$", LocationView.as_view()),
    re_path(rf"{LOCATION}/(?P<evse_uid>[^/]+)/?$", EvseView.as_view()),
    re_path(rf"{LOCATION}/(?P<evse_uid>[^/]+)/(?P<connector_id>[^/]+)/?$", ConnectorView.as_view()),
]

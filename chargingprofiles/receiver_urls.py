"""Addresses of the Receiver interface, below its endpoint."""

from django.urls import re_path

from chargingprofiles.receiver import ProfileView

# Ids may hold a slash: whatever follows the endpoint is one.
urlpatterns = [re_path(r"^/(?P<session_id>[^\x00]+?)/?$", ProfileView.as_view())]

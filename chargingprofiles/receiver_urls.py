"""Addresses of the Receiver interface, below its endpoint."""

from django.urls import re_path

from chargingprofiles.receiver import ProfileView

urlpatterns = [re_path(r"^/(?P<session_id>[^/]+)/?$", ProfileView.as_view())]

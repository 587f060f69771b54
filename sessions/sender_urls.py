"""Addresses of the Sessions Sender, below its endpoint."""

from django.urls import re_path

from sessions.sender import ChargingPreferencesView, SessionsView

urlpatterns = [
    re_path(r"^/?$", SessionsView.as_view()),
    re_path(r"^/(?P<session_id>[^/\x00]+)/charging_preferences/?$", ChargingPreferencesView.as_view()),
]

"""Addresses of the Sessions Receiver, below its endpoint."""

from django.urls import re_path

from sessions.receiver import SessionView

urlpatterns = [
    re_path(
        r"^/(?P<country_code>[^/\x00]+)/(?P<party_id>[^/\x00]+)/(?P<session_id>[^/\x00]+)/?$",
        SessionView.as_view(),
    ),
]

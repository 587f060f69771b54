"""Addresses of the Sessions Receiver, below its endpoint."""

from django.urls import re_path

from sessions.receiver import SessionView

urlpatterns = [
    re_path(r"^/(?P<country_code>[^/]+)/(?P<party_id>[^/]+)/(?P<session_id>[^/]+)/?$", SessionView.as_view()),
]

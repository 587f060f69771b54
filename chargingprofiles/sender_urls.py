"""Addresses of the Sender interface, below its endpoint."""

from django.urls import re_path

from chargingprofiles.sender import ActiveProfileView, ResultView

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

urlpatterns = [
    re_path(rf"^/result/(?P<request_id>{_UUID})/?$", ResultView.as_view()),
    re_path(r"^/(?P<session_id>[^/]+)/?$", ActiveProfileView.as_view()),
]

"""Addresses of the Sender interface, below its endpoint."""

from django.urls import re_path

from chargingprofiles.sender import ActiveProfileView, ResultView

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

urlpatterns = [
    re_path(rf"^/result/(?P<request_id>{_UUID})/?$", ResultView.as_view()),
    # Ids may hold a slash: whatever else follows the endpoint is one.
    re_path(r"^/(?!result/)(?P<session_id>[^\x00]+?)/?$", ActiveProfileView.as_view()),
]

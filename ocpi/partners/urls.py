"""Addresses of the credentials module, below its endpoint."""

from django.urls import re_path

from ocpi.partners.credentials import CredentialsView

urlpatterns = [re_path(r"^/?$", CredentialsView.as_view())]

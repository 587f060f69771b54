"""OCPI 2.2.1 version_information_endpoint: which version we speak, and where each module is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.partners.authentication import caller_of
from ocpi.partners.own import own_roles
from ocpi.protocol.envelope import success
from ocpi.protocol.views import OcpiView

VERSION = "2.2.1"


def versions_url() -> str:
    """Return the address that partners start from."""
    return f"{settings.NODE_URL}/ocpi/versions"


def version_url() -> str:
    """Return the address of our version details."""
    return f"{settings.NODE_URL}/ocpi/{VERSION}"


def endpoint_url(identifier: str, role: str) -> str:
    """Return the published address of one of our endpoints. Raises KeyError when we have no such endpoint."""
    for endpoint in _endpoints():
        if (endpoint.identifier, endpoint.role) == (identifier, role):
            return f"{version_url()}/{endpoint.path}"
    raise KeyError(f"We publish no {identifier} {role}.")


class VersionsView(OcpiView):
    """Lists the versions we speak, to any token."""

    is_functional = False

    def get(self, request: Request) -> Response:
        """Answer the list of Version objects."""
        caller_of(request)
        return success([{"version": VERSION, "url": version_url()}])


class VersionDetailsView(OcpiView):
    """Lists our endpoints of version 2.2.1, to any token."""

    is_functional = False

    def get(self, request: Request) -> Response:
        """Answer the VersionDetails; each module once per interface role that we have."""
        caller_of(request)
        endpoints = [
            {
                "identifier": endpoint.identifier,
                "role": endpoint.role,
                "url": f"{version_url()}/{endpoint.path}",
            }
            for endpoint in _endpoints()
        ]
        return success({"version": VERSION, "endpoints": endpoints})


def _endpoints() -> list[Any]:
    """Return the endpoints that a role of ours brings, from the list that also routes them."""
    roles = own_roles()
    return [
        endpoint
        for endpoint in import_string(settings.OCPI_ENDPOINTS)
        if not endpoint.party_role or endpoint.party_role in roles
    ]

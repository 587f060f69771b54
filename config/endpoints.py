"""The one list of OCPI endpoints: it routes the addresses and fills the version details."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "2.2.1"


@dataclass(frozen=True)
class OcpiEndpoint:
    """One row of the version details.

    `party_role` is the role of ours that brings the endpoint: it is published and routed only when a party of
    ours plays it ("" for always). `urls` is the module with its urlpatterns, below `/ocpi/2.2.1/{path}`.
    """

    identifier: str
    role: str
    party_role: str
    path: str
    urls: str


ENDPOINTS = [
    OcpiEndpoint("credentials", "SENDER", "", "credentials", "ocpi.partners.urls"),
    OcpiEndpoint("locations", "SENDER", "CPO", "sender/locations", "locations.sender_urls"),
    OcpiEndpoint("sessions", "SENDER", "CPO", "sender/sessions", "sessions.sender_urls"),
    OcpiEndpoint(
        "chargingprofiles", "RECEIVER", "CPO", "receiver/chargingprofiles", "chargingprofiles.receiver_urls"
    ),
    OcpiEndpoint("locations", "RECEIVER", "SCSP", "receiver/locations", "locations.receiver_urls"),
    OcpiEndpoint("sessions", "RECEIVER", "SCSP", "receiver/sessions", "sessions.receiver_urls"),
    OcpiEndpoint(
        "chargingprofiles", "SENDER", "SCSP", "sender/chargingprofiles", "chargingprofiles.sender_urls"
    ),
]

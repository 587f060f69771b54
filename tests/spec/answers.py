"""What a node answers over raw HTTP, checked for what every answer must have."""

from __future__ import annotations

import re
from typing import Any

import requests

DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", re.ASCII)
OUR_PARTY = ("NL", "SPC")
# What the credentials of the node say of its parties.
OUR_ROLES = [
    {"role": role, "country_code": "NL", "party_id": party_id, "business_details": {"name": name}}
    for role, party_id, name in (
        ("CPO", "SPC", "Spec"),
        ("SCSP", "SPC", "Spec"),
        ("CPO", "SP2", "Second"),
        ("SCSP", "SP3", "Third"),
    )
]


def said(response: requests.Response) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the envelope, without timestamp and message; both are checked."""
    assert response.headers["Content-Type"] == "application/json"
    envelope = response.json()
    assert DATE_TIME.fullmatch(envelope.pop("timestamp"))
    assert isinstance(envelope.pop("status_message"), str)
    return response.status_code, envelope


def status(response: requests.Response) -> tuple[int, int]:
    """Return the HTTP and the OCPI status."""
    http_status, envelope = said(response)
    return http_status, envelope["status_code"]


def routing(to_party: tuple[str, str], from_party: tuple[str, str]) -> dict[str, str]:
    """Return the four routing headers."""
    return {
        "OCPI-to-country-code": to_party[0],
        "OCPI-to-party-id": to_party[1],
        "OCPI-from-country-code": from_party[0],
        "OCPI-from-party-id": from_party[1],
    }


def routing_in(headers: Any) -> dict[str, str]:
    """Return the routing headers among these, by the names that the specification writes."""
    names = {name.lower(): name for name in routing(("", ""), ("", ""))}
    return {
        names.get(name.lower(), name): value
        for name, value in headers.items()
        if name.lower().startswith("ocpi-")
    }

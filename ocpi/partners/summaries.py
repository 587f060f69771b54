"""A partner as people and programs read it: everything but its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ocpi.partners.models import Partner
from ocpi.protocol.times import format_datetime


def summary(partner: Partner) -> dict[str, Any]:
    """Return a partner with its roles, endpoints and grants; times as OCPI writes them."""
    return {
        "partner": partner.pk,
        "name": partner.name,
        "status": partner.status.lower(),
        "sign_in": partner.sign_in.lower(),
        "api_key_header": partner.api_key_header or None,
        "version": partner.version,
        "versions_url": partner.versions_url,
        "roles": roles(partner),
        "endpoints": [
            {"identifier": one.identifier, "role": one.role, "url": one.url}
            for one in partner.endpoints.all()
        ],
        "grants": [
            {
                "country_code": one.country_code or None,
                "party_id": one.party_id or None,
                "location_id": one.location_id or None,
            }
            for one in partner.grants.all()
        ],
        "response_hosts": partner.response_hosts,
        "refused_quirks": sorted(partner.refuses),
        "registered_at": _time(partner.registered_at),
        "endpoints_changed_at": _time(partner.endpoints_changed_at),
        "last_seen_at": _time(partner.last_seen_at),
        "last_error": partner.last_error,
        "pulled": partner.pulled,
        "pull_due_at": _time(partner.pull_due_at),
    }


def roles(partner: Partner) -> list[dict[str, str]]:
    """Return the parties on a partner's platform."""
    return [
        {"role": one.role, "country_code": one.country_code, "party_id": one.party_id}
        for one in partner.roles.all()
    ]


def sentences(partner: dict[str, Any]) -> Iterator[str]:
    """Tell a summary in lines for people."""
    yield f"{partner['name']} (partner {partner['partner']}): {partner['status']}"
    if partner["versions_url"]:
        yield f"  versions   {partner['versions_url']} ({partner['version'] or 'no version yet'})"
    if partner["sign_in"] != "credentials":
        key = f", and {partner['api_key_header']}" if partner["api_key_header"] else ""
        yield f"  sign-in    {partner['sign_in']}{key}; no credentials module"
    for role in partner["roles"]:
        yield f"  party      {role['country_code']}-{role['party_id']} as {role['role']}"
    for endpoint in partner["endpoints"]:
        yield f"  endpoint   {endpoint['identifier']} {endpoint['role']} {endpoint['url']}"
    if partner["endpoints_changed_at"]:
        yield f"  endpoints  as since {partner['endpoints_changed_at']}"
    for grant in partner["grants"]:
        where = grant["location_id"] or "all our locations"
        party = f" of {grant['country_code']}-{grant['party_id']}" if grant["party_id"] else ""
        yield f"  may steer  at {where}{party}"
    for host in partner["response_hosts"]:
        yield f"  answers at {host} too"
    if partner["refused_quirks"]:
        yield f"  refused    {', '.join(partner['refused_quirks'])}"
    yield f"  last seen  {partner['last_seen_at'] or 'never'}"
    for module, moment in partner["pulled"].items():
        yield f"  read       {module} up to {moment}"
    if partner["pull_due_at"]:
        yield f"  next pull  {partner['pull_due_at']}"
    if partner["last_error"]:
        yield f"  last error {partner['last_error']}"


def _time(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None

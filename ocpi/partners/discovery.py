"""Reading a partner's versions and version details during registration, and refusing what we can't use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from ocpi.partners.hosts import PublishedAddresses
from ocpi.partners.versions import VERSION
from ocpi.protocol.client import CallFailed, Reply, send
from ocpi.protocol.errors import MissingEndpoints, UnableToUseApi, UnsupportedVersion
from ocpi.protocol.quirks import Quirk, is_tolerated

# Two such calls must fit into the time that the other side waits for our answer (30 s is usual).
DEADLINE_S = 8.0
_IDENTIFIER = re.compile(r"[!-~]{1,64}")
MOST_ENDPOINTS = 100


@dataclass(frozen=True)
class PublishedEndpoint:
    """One endpoint of a partner's version details; `role` is SENDER or RECEIVER."""

    identifier: str
    role: str
    url: str


@dataclass(frozen=True)
class Discovery:
    """What a partner publishes for version 2.2.1, and whether it reads raw tokens only."""

    endpoints: tuple[PublishedEndpoint, ...]
    sends_raw_tokens: bool = False

    @property
    def credentials_url(self) -> str:
        """Return the address of the credentials module, whatever role it is listed with."""
        return next(one.url for one in self.endpoints if one.identifier == "credentials")


def discover(versions_url: str, token: str) -> Discovery:
    """Read versions and details with `token`: two or three requests of at most 8 s each.

    Every address that they name is checked against the address rules.
    Raises UnableToUseApi (3001), UnsupportedVersion (3002), MissingEndpoints (3003), naming the address.
    """
    addresses = PublishedAddresses()
    addresses.check(versions_url)
    raw = False
    reply = _get(versions_url, token, raw=raw)
    if reply.http_status == 401 and is_tolerated(Quirk.RAW_TOKENS):
        # Some platforms still read the token without Base64 (OCPI 2.2.1 transport, Authorization header).
        raw = True
        reply = _get(versions_url, token, raw=raw)
    details_url = _details_url(versions_url, _data(versions_url, reply), addresses)
    details = _data(details_url, _get(details_url, token, raw=raw))
    endpoints = tuple(_endpoints(details_url, details, addresses))
    if not any(endpoint.identifier == "credentials" for endpoint in endpoints):
        raise MissingEndpoints(f"{details_url} lists no credentials endpoint.")
    return Discovery(endpoints=endpoints, sends_raw_tokens=raw)


def _get(url: str, token: str, *, raw: bool) -> Reply:
    try:
        return send(
            method="GET",
            url=url,
            token=token,
            raw_token=raw,
            deadline_s=DEADLINE_S,
            allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
        )
    except CallFailed as error:
        raise UnableToUseApi(f"{url} could not be read: {error}") from error


def _data(url: str, reply: Reply) -> Any:
    """Return the data of a successful answer. Raises UnableToUseApi."""
    if reply.is_success and reply.is_envelope:
        return reply.data
    said = (
        f"OCPI {reply.status_code} {reply.status_message}".strip() if reply.is_envelope else "no OCPI answer"
    )
    hint = " Is the token right, and not used already?" if reply.http_status == 401 else ""
    raise UnableToUseApi(f"{url} could not be read: HTTP {reply.http_status}, {said}.{hint}")


def _details_url(versions_url: str, data: Any, addresses: PublishedAddresses) -> str:
    """Return the details address of our version out of a list of Version objects."""
    if not isinstance(data, list):
        raise UnableToUseApi(f"{versions_url} does not answer a list of versions.")
    urls: dict[str, str] = {}
    for item in data:
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        addresses.check(item["url"])
        urls.setdefault(str(item.get("version")), item["url"])
    if VERSION not in urls:
        offered = ", ".join(sorted(filter(str.isprintable, urls)))[:100] or "none"
        raise UnsupportedVersion(f"We speak {VERSION}; {versions_url} offers {offered}.")
    return urls[VERSION]


def _endpoints(details_url: str, data: Any, addresses: PublishedAddresses) -> Iterator[PublishedEndpoint]:
    """Read the endpoints, each module and role once; what is not an Endpoint is left out."""
    if not isinstance(data, dict) or not isinstance(data.get("endpoints"), list):
        raise UnableToUseApi(f"{details_url} does not answer version details.")
    seen = set()
    for item in data["endpoints"][:MOST_ENDPOINTS]:
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        identifier, url = str(item.get("identifier", "")), item["url"]
        role = str(item.get("role") or "SENDER").upper()
        if role not in {"SENDER", "RECEIVER"} or not _IDENTIFIER.fullmatch(identifier):
            continue
        addresses.check(url)
        if (identifier, role) not in seen:
            seen.add((identifier, role))
            yield PublishedEndpoint(identifier, role, url)

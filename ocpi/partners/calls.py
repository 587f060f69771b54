"""The one place from which we call partners: it finds the address, signs in and adds the headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ocpi.partners import hosts
from ocpi.partners.models import Partner
from ocpi.partners.own import Party, party_for
from ocpi.partners.sign_in import send_signed
from ocpi.protocol.client import CallFailed, Reply
from ocpi.protocol.headers import Routing
from ocpi.protocol.quirks import refusing

DEADLINE_S = 8.0
CONFIGURATION_MODULES = frozenset({"versions", "credentials", "hubclientinfo"})
# Which of a partner's parties stands behind an interface (OCPI 2.2.1 terminology, typical roles).
_CPO = ("CPO",)
_PROVIDER = ("SCSP", "EMSP", "NSP", "NAP")
# OCPI: a list read through a hub is asked of the hub (transport_and_format, "GET All via Hubs").
_LIST_OWNER = ("HUB", *_CPO)
_OWNERS = {
    ("locations", "SENDER"): _CPO,
    ("sessions", "SENDER"): _CPO,
    ("chargingprofiles", "RECEIVER"): _CPO,
    ("locations", "RECEIVER"): _PROVIDER,
    ("sessions", "RECEIVER"): _PROVIDER,
    ("chargingprofiles", "SENDER"): _PROVIDER,
}


class NoEndpoint(Exception):
    """The partner does not offer the module in the role that is needed."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


def call(
    partner: Partner,
    *,
    method: str,
    module: str,
    role: str,
    path: Sequence[str] = (),
    body: Any = None,
    params: Mapping[str, Any] | None = None,
    correlation_id: str | None = None,
    deadline_s: float = DEADLINE_S,
    to_party: Party | None = None,
    from_party: Party | None = None,
) -> Reply:
    """Call a module of a partner and return its answer, whatever it says.

    `role` is the interface role of their endpoint; each segment of `path` is percent-encoded. Functional
    modules carry all four routing headers, `to_party` and `from_party` or else the parties, theirs and ours,
    that fit the interface.
    Raises NoEndpoint when they don't offer it, CallFailed when no answer came.
    """
    url = endpoint_of(partner, module=module, role=role)
    fitting = _OWNERS.get((module, role), ())
    return _send(
        partner,
        method=method,
        url=joined(url, path),
        body=body,
        params=params,
        routing=None if module in CONFIGURATION_MODULES else _routing(partner, fitting, to_party, from_party),
        correlation_id=correlation_id,
        deadline_s=deadline_s,
    )


def call_url(
    partner: Partner,
    *,
    method: str,
    url: str,
    body: Any = None,
    params: Mapping[str, Any] | None = None,
    correlation_id: str | None = None,
    deadline_s: float = DEADLINE_S,
    to_party: Party | None = None,
    from_party: Party | None = None,
) -> Reply:
    """Call an address that a partner gave us, e.g. a response_url or the next page of a list.

    Their token goes to their own hosts only, and to those that an operator named for them. Routing headers
    name `to_party` and `from_party`, or else their hub or CPO and our SCSP for what we read, their provider
    and our CPO for what we answer. Raises CallFailed (forbidden_address for any other host).
    """
    if hosts.host_of(url) not in hosts.hosts_of(partner):
        raise CallFailed("forbidden_address", f"{url[:200]} is not on a host of {partner.name}.")
    return _send(
        partner,
        method=method,
        url=url,
        body=body,
        params=params,
        routing=_routing(partner, _LIST_OWNER if method == "GET" else _PROVIDER, to_party, from_party),
        correlation_id=correlation_id,
        deadline_s=deadline_s,
    )


def endpoint_of(partner: Partner, *, module: str, role: str) -> str:
    """Return the address of a partner's module. Raises NoEndpoint."""
    endpoints = partner.endpoints.filter(identifier=module)
    if module != "credentials":
        # The role of a credentials endpoint means nothing (OCPI 2.2.1 version_information_endpoint).
        endpoints = endpoints.filter(role=role)
    url = endpoints.values_list("url", flat=True).first()
    if url is None:
        raise NoEndpoint(f"{partner.name} offers no {module} {role}.")
    return url


def joined(url: str, path: Sequence[str]) -> str:
    """Join an endpoint and path segments with exactly one slash each; a slash in a segment becomes %2F."""
    return "/".join([url.rstrip("/"), *(quote(segment, safe="") for segment in path)]) if path else url


def _routing(
    partner: Partner, fitting: Sequence[str], to_party: Party | None, from_party: Party | None
) -> Routing | None:
    """Return routing to `to_party`, else to the partner's first party in one of the `fitting` roles.

    Without `from_party` it comes from our party that stands opposite: a CPO speaks to providers.
    """
    if to_party is None:
        roles = list(partner.roles.all())
        ranked = [one for wanted in fitting for one in roles if one.role == wanted] + roles
        if not ranked:
            return None
        to_party = (ranked[0].country_code, ranked[0].party_id)
    if from_party is None:
        from_party = party_for("SCSP" if "CPO" in fitting else "CPO")
    return Routing(
        to_country_code=to_party[0],
        to_party_id=to_party[1],
        from_country_code=from_party[0],
        from_party_id=from_party[1],
    )


def _send(
    partner: Partner,
    *,
    method: str,
    url: str,
    body: Any,
    params: Mapping[str, Any] | None,
    routing: Routing | None,
    correlation_id: str | None,
    deadline_s: float,
) -> Reply:
    with refusing(partner.refuses):
        return send_signed(
            partner,
            method=method,
            url=url,
            body=body,
            params=params,
            routing=routing,
            correlation_id=correlation_id,
            deadline_s=deadline_s,
        )

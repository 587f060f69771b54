"""Which addresses belong to a partner, and whether we may call them: their token goes nowhere else."""

from __future__ import annotations

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ocpi.partners.models import Partner
from ocpi.protocol.addresses import (
    CheckedUrl,
    ForbiddenAddress,
    UnknownHost,
    check_address,
    check_url,
    resolve,
)
from ocpi.protocol.errors import InvalidParameters, UnableToUseApi
from ocpi.protocol.types import LONGEST_URL

MOST_HOSTS = 10


class PublishedAddresses:
    """Checks the addresses that one partner publishes; each host is looked up once."""

    def __init__(self) -> None:
        self._looked_up: set[tuple[str, str]] = set()

    def check(self, url: str) -> None:
        """Check the form of an address and where its name leads. Raises UnableToUseApi naming the address."""
        if len(url) > LONGEST_URL:
            raise UnableToUseApi(f"{url[:60]!a}… is longer than {LONGEST_URL} characters.")
        try:
            target = check_url(url, allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS)
            if (target.scheme, target.host) in self._looked_up:
                return
            # Each look-up may take 2 s, and the other side waits for our answer.
            if len(self._looked_up) >= MOST_HOSTS:
                raise ForbiddenAddress(f"more than {MOST_HOSTS} hosts are named")
            self._looked_up.add((target.scheme, target.host))
            _check_reachable(target)
        except (ForbiddenAddress, UnknownHost) as error:
            named = url if url.isprintable() else ascii(url)
            raise UnableToUseApi(f"{named} is not an address that we can call: {error}.") from error


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, "" when it has none. The client reads URLs the same way."""
    try:
        return (parse_url(url).host or "").lower().strip("[]")
    except LocationParseError:
        return ""


def plain_host(host: str) -> str:
    """Return a host that somebody named, without a port, in its one spelling. Raises ForbiddenAddress."""
    in_url = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    target = check_url(f"https://{in_url}/", allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS)
    if target.port != 443:
        raise ForbiddenAddress("name it without a port; answers may go to any that we can call")
    return target.host


def hosts_of(partner: Partner) -> set[str]:
    """Return the hosts of a partner: of its versions, its endpoints, and those that an operator added."""
    urls = [partner.versions_url, *partner.endpoints.values_list("url", flat=True)]
    extra = [host.lower().strip("[]") for host in partner.response_hosts]
    return {host for host in [*map(host_of, urls), *extra] if host}


def check_response_url(partner: Partner, url: str) -> None:
    """Check an address that a partner wants answers at.

    It must be a URL of at most 255 characters on a host of that partner, over https, or over http into
    OUTBOUND_ALLOWED_NETWORKS. Where an https name leads is checked when we send.
    Raises InvalidParameters naming response_url.
    """
    if len(url) > LONGEST_URL:
        raise InvalidParameters(f"response_url: must have at most {LONGEST_URL} characters")
    try:
        target = check_url(url, allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS)
        if target.host not in hosts_of(partner):
            raise ForbiddenAddress(f"{target.host[:100]} is not a host of yours")
        if target.scheme == "http":
            _check_reachable(target)
    except (ForbiddenAddress, UnknownHost) as error:
        raise InvalidParameters(f"response_url: {error}") from error


def _check_reachable(target: CheckedUrl) -> None:
    """Look a host up and check every address. Raises ForbiddenAddress or UnknownHost."""
    for address in resolve(target.host):
        check_address(address, scheme=target.scheme, allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS)

"""Which hosts belong to a partner: their token, and our answers, go nowhere else."""

from __future__ import annotations

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ocpi.partners.models import Partner
from ocpi.protocol.addresses import ForbiddenAddress, check_url
from ocpi.protocol.errors import InvalidParameters

LONGEST_URL = 255


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, "" when it has none. The client reads URLs the same way."""
    try:
        return (parse_url(url).host or "").lower().strip("[]")
    except LocationParseError:
        return ""


def hosts_of(partner: Partner) -> set[str]:
    """Return the hosts of a partner: of its versions, its endpoints, and those that an operator added."""
    urls = [partner.versions_url, *partner.endpoints.values_list("url", flat=True)]
    extra = [host.lower().strip("[]") for host in partner.response_hosts]
    return {host for host in [*map(host_of, urls), *extra] if host}


def check_response_url(partner: Partner, url: str) -> None:
    """Check an address that a partner wants answers at.

    It must be a URL of at most 255 characters on a host of that partner, over https, or over http into
    OUTBOUND_ALLOWED_NETWORKS. Where the name leads is checked again when we send.
    Raises InvalidParameters naming response_url.
    """
    if len(url) > LONGEST_URL:
        raise InvalidParameters(f"response_url: longer than {LONGEST_URL} characters")
    try:
        check_url(url, allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS)
    except ForbiddenAddress as error:
        raise InvalidParameters(f"response_url: {error}") from error
    if host_of(url) not in hosts_of(partner):
        raise InvalidParameters(f"response_url: {host_of(url)[:100]} is not a host of yours")

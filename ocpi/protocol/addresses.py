"""Where our outgoing HTTP may go: the public internet over https, and what an operator allowed.

Addresses come from partners, so each is taken for an attempt to reach something inside (OWASP SSRF
Prevention Cheat Sheet). URLs are read with urllib3's parser only, the one that the client connects with: two
parsers read one odd URL in two ways.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

LONGEST_URL = 2048
RESOLVE_TIMEOUT_S = 2.0
Resolver = Callable[[str], Sequence[str]]
Address = IPv4Address | IPv6Address
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Above 1023, services that some HTTP-shaped bytes could harm.
_SERVICE_PORTS = frozenset(
    {1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5671, 5672, 5900, 5984, 6000}
    | {6379, 6380, 6443, 8086, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 26379, 27017}
)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Beside what the ipaddress module knows; it takes several of these for public.
_DENIED = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenAddress(Exception):
    """Our HTTP may not go there; the message says why."""


class UnknownHost(Exception):
    """The name leads to no address, or none within the time."""


@dataclass(frozen=True)
class CheckedUrl:
    """A URL whose form is right; `host` is in lower case and without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def check_url(url: str, *, allowed_networks: Sequence[str]) -> CheckedUrl:
    """Return the parts of a URL that we may call, without looking its host up.

    It must be absolute https, or http where `allowed_networks` (CIDRs) has any, in printable ASCII, without
    user, fragment and odd spellings. Raises ForbiddenAddress.
    """
    if len(url) > LONGEST_URL:
        raise ForbiddenAddress(f"longer than {LONGEST_URL} characters")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise ForbiddenAddress("only printable ASCII without spaces and backslashes is taken")
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise ForbiddenAddress("not a URL") from error
    scheme = (parts.scheme or "").lower()
    if scheme not in _DEFAULT_PORTS or not url.lower().startswith(f"{scheme}://"):
        raise ForbiddenAddress("must begin with https://")
    if parts.auth is not None:
        raise ForbiddenAddress("must not name a user")
    if parts.fragment is not None:
        raise ForbiddenAddress("must not have a fragment")
    if not parts.host or parts.url.lower() != url.lower():
        raise ForbiddenAddress("is spelled in a way that can be read differently")
    host = _checked_host(parts.host.lower())
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    if port in _SERVICE_PORTS or not 0 < port < 65536 or (port < 1024 and port not in (80, 443)):
        raise ForbiddenAddress(f"port {port} is not for HTTP")
    checked = CheckedUrl(url=url, scheme=scheme, host=host, port=port)
    if scheme == "http" and not allowed_networks:
        raise ForbiddenAddress("must begin with https://")
    literal = _literal(host)
    if literal is not None:
        check_address(literal, scheme=scheme, allowed_networks=allowed_networks)
    return checked


def check_address(address: str | Address, *, scheme: str, allowed_networks: Sequence[str]) -> None:
    """Check where a connection would go: a public address over https, or one inside `allowed_networks`.

    Raises ForbiddenAddress.
    """
    wanted = _unmapped(ip_address(address) if isinstance(address, str) else address)
    if any(wanted in network for network in _networks(tuple(allowed_networks))):
        return
    if scheme != "https":
        raise ForbiddenAddress("http without TLS leads outside OUTBOUND_ALLOWED_NETWORKS")
    if not _is_public(wanted):
        raise ForbiddenAddress("leads to an address that is not public")


def system_resolver(host: str) -> Sequence[str]:
    """Return every address of a name, as the system knows it. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve(
    host: str, *, resolver: Resolver = system_resolver, timeout_s: float = RESOLVE_TIMEOUT_S
) -> list[str]:
    """Return the addresses of a host, looked up once and within the time. Raises UnknownHost."""
    if _literal(host) is not None:
        return [host]
    answers: SimpleQueue[list[str] | None] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(resolver(host)))
        except (OSError, UnicodeError):
            answers.put(None)

    # getaddrinfo has no timeout of its own: a daemon thread that hangs holds nobody up.
    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        addresses = answers.get(timeout=timeout_s)
    except Empty:
        raise UnknownHost("the name was not resolved in time") from None
    if not addresses:
        raise UnknownHost("the name is not known")
    return addresses


def _checked_host(host: str) -> str:
    if host.startswith("["):
        return host[1:-1]
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise ForbiddenAddress("the host is not a plain name or address")
    # 127.1, 2130706433, 0x7f.1 and 0177.0.0.1 are addresses to getaddrinfo.
    if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]) and _literal(host) is None:
        raise ForbiddenAddress("the host is not a plain name or address")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        if ":" in host:
            raise ForbiddenAddress("the host is not a plain name or address") from None
        return None


@lru_cache(maxsize=32)
def _networks(allowed_networks: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in allowed_networks]


def _unmapped(address: Address) -> Address:
    """Return the IPv4 address that the kernel would use for ::ffff:a.b.c.d."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ForbiddenAddress("leads to an address that is not public")
        return address.ipv4_mapped or address
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not any(address in network for network in _DENIED)

"""Settings that work but are unsafe: `manage.py check` lists them, and servers log them at their start."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.core import checks

logger = logging.getLogger(__name__)

SHORTEST_SECRET_KEY = 32
SHORTEST_PREFIX = 8
PRIVATE_V6 = ipaddress.IPv6Network("fc00::/7")


@checks.register(checks.Tags.security)
def unsafe_settings(**_: Any) -> list[checks.CheckMessage]:
    """Return a warning for each unsafe setting."""
    return [checks.Warning(text, id=f"node.{number}") for number, text in _unsafe()]


@cache
def log_unsafe_settings() -> None:
    """Log a line for each unsafe setting, once per process."""
    for warning in unsafe_settings():
        logger.warning("%s (%s)", warning.msg, warning.id)


def _unsafe() -> Iterator[tuple[str, str]]:
    if settings.DEBUG and not settings.IS_EMBEDDED:
        yield "W001", "DEBUG is on: error pages show code and settings to everybody."
    if "*" in settings.ALLOWED_HOSTS:
        yield "W002", "ALLOWED_HOSTS has *: requests for any host name are answered."
    if wide := [one for one in settings.OUTBOUND_ALLOWED_NETWORKS if _is_wide(one)]:
        yield (
            "W003",
            f"OUTBOUND_ALLOWED_NETWORKS has {', '.join(wide)}: "
            "addresses that partners name may lead anywhere there, also without TLS.",
        )
    if not settings.IS_EMBEDDED and len(settings.SECRET_KEY) < SHORTEST_SECRET_KEY:
        yield "W004", f"SECRET_KEY is shorter than {SHORTEST_SECRET_KEY} characters: it can be guessed."


def _is_wide(cidr: str) -> bool:
    """Tell whether a network is wider than /8, other than IPv6's private addresses."""
    network = ipaddress.ip_network(cidr)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(PRIVATE_V6):
        return False
    return network.prefixlen < SHORTEST_PREFIX

"""How many wrong tokens or passwords an address may show before it has to wait, and which address that is."""

from __future__ import annotations

import ipaddress
import re
import threading
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
MOST_WRONG = 100
MOST_ADDRESSES = 10_000
# Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
_WITH_PORT = re.compile(r"(?:\[([^]]+)]|([0-9.]+))(?::[0-9]+)?")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class GuessLimit:
    """Counts wrong guesses per address, key and minute, in the memory of this process.

    Who is right never comes here, so losing the counts, or sharing an address with somebody who guesses,
    locks nobody out. IPv6 counts per /64, which is what one customer gets.
    """

    def __init__(self, *, most: int = MOST_WRONG, window: timedelta = WINDOW) -> None:
        self.most = most
        self.window = window
        self._counts: dict[tuple[str, str], tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def count(self, address: str, *, key: str = "", now: datetime) -> int:
        """Count one wrong guess; return the seconds to wait, 0 while the address has not had too many.

        `key` is what the guess was for, where each such thing counts apart.
        """
        who = (key, _network(address))
        with self._lock:
            started_at, count = self._counts.get(who, (now, 0))
            if now - started_at >= self.window:
                started_at, count = now, 0
            if len(self._counts) >= MOST_ADDRESSES and who not in self._counts:
                self._forget_old(now)
            self._counts[who] = (started_at, count + 1)
        if count < self.most:
            return 0
        return max(1, int((started_at + self.window - now).total_seconds()))

    def clear(self) -> None:
        """Forget every count."""
        with self._lock:
            self._counts.clear()

    def _forget_old(self, now: datetime) -> None:
        self._counts = {who: entry for who, entry in self._counts.items() if now - entry[0] < self.window}
        if len(self._counts) >= MOST_ADDRESSES:
            # A flood from more addresses than we remember: the oldest entry makes room.
            self._counts.pop(next(iter(self._counts)))


def address_behind(peer: str, *, forwarded_for: str) -> str:
    """Return the address that a request came from, given the peer's and its X-Forwarded-For.

    From loopback the peer is our own proxy: the right-most valid address is the one that it saw, those before
    it are what somebody claims. Elsewhere the header is a claim altogether.
    """
    parsed = _parsed(peer)
    if parsed is None or not parsed.is_loopback:
        return peer
    for entry in reversed(forwarded_for.split(",")):
        match = _WITH_PORT.fullmatch(entry.strip())
        address = _parsed((match[1] or match[2]) if match else entry.strip())
        if address is not None:
            return str(address)
    return peer


def _network(address: str) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> Address | None:
    """Return the address, as IPv4 where IPv6 only wraps it; None for anything else."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


wrong_tokens = GuessLimit()

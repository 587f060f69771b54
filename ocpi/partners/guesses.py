"""How many wrong tokens an address may show before it has to wait."""

from __future__ import annotations

import ipaddress
import threading
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
MOST_WRONG = 100
MOST_ADDRESSES = 10_000


class WrongTokens:
    """Counts wrong tokens per address and minute, in the memory of this process.

    Good tokens never come here, so losing the counts, or sharing an address with somebody who guesses, locks
    nobody out. IPv6 counts per /64, which is what one customer gets.
    """

    def __init__(self, *, most: int = MOST_WRONG, window: timedelta = WINDOW) -> None:
        self.most = most
        self.window = window
        self._counts: dict[str, tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def count(self, address: str, *, now: datetime) -> int:
        """Count one wrong token; return the seconds to wait, 0 while the address has not had too many."""
        key = _network(address)
        with self._lock:
            started_at, count = self._counts.get(key, (now, 0))
            if now - started_at >= self.window:
                started_at, count = now, 0
            if len(self._counts) >= MOST_ADDRESSES and key not in self._counts:
                self._forget_old(now)
            self._counts[key] = (started_at, count + 1)
        if count < self.most:
            return 0
        return max(1, int((started_at + self.window - now).total_seconds()))

    def clear(self) -> None:
        """Forget every count."""
        with self._lock:
            self._counts.clear()

    def _forget_old(self, now: datetime) -> None:
        self._counts = {key: entry for key, entry in self._counts.items() if now - entry[0] < self.window}
        if len(self._counts) >= MOST_ADDRESSES:
            # A flood from more addresses than we remember: the oldest entry makes room.
            self._counts.pop(next(iter(self._counts)))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


wrong_tokens = WrongTokens()

"""Whether two ActiveChargingProfiles say the same: pure, and blind to when each was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from ocpi.protocol.times import parse_datetime

# Chargers count whole seconds from the moment they are asked, so switching instants wobble.
_WOBBLE = timedelta(seconds=3)
_OPEN_END = timedelta(hours=1)


@dataclass(frozen=True)
class _Limits:
    """Limit over time: (from when, limit), half-open up to `until`."""

    unit: str
    steps: tuple[tuple[datetime, Decimal], ...]
    until: datetime

    @property
    def starts_at(self) -> datetime:
        return self.steps[0][0]

    def limit_at(self, moment: datetime) -> Decimal:
        return next(limit for start, limit in reversed(self.steps) if start <= moment)


def says_the_same(told: dict[str, Any], current: dict[str, Any]) -> bool:
    """Tell whether two ActiveChargingProfiles hold the same limits wherever both speak.

    A later reading of an unchanged plan starts later and looks further; neither is a change
    (OCPI 2.2.1 mod_charging_profiles, Sender PUT). False when they share no time.
    """
    old, new = _limits(told), _limits(current)
    if old is None or new is None or old.unit != new.unit:
        return False
    begin, end = max(old.starts_at, new.starts_at), min(old.until, new.until)
    if end - begin <= _WOBBLE:
        return False
    instants = {start for limits in (old, new) for start, _ in limits.steps if begin < start < end}
    edges = [begin, *sorted(instants), end]
    return all(
        old.limit_at(start) == new.limit_at(start)
        for start, stop in pairwise(edges)
        if stop - start > _WOBBLE
    )


def _limits(document: dict[str, Any]) -> _Limits | None:
    """Read an ActiveChargingProfile of our own making; None when it lists no period."""
    profile = document["charging_profile"]
    start = parse_datetime(profile.get("start_date_time") or document["start_date_time"])
    steps = tuple(
        (
            start + timedelta(seconds=period["start_period"]),
            Decimal(str(period["limit"])).quantize(Decimal("0.1")),
        )
        for period in profile["charging_profile_period"]
    )
    if not steps:
        return None
    duration_s = profile.get("duration")
    until = start + (timedelta(seconds=duration_s) if duration_s else _OPEN_END)
    return _Limits(unit=profile["charging_rate_unit"], steps=steps, until=until)

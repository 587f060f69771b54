"""The car at the cable and the station's meter. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# IEC 61851-1: a car can't charge with less, so it pauses.
LEAST_CURRENT_A = 6


@dataclass(frozen=True)
class Supply:
    """What one connector is wired for; `voltage_v` is line to neutral, `max_current_a` per phase."""

    phases: int = 3
    voltage_v: int = 230
    max_current_a: int = 32

    @property
    def watts_per_ampere(self) -> int:
        """How many watts one ampere per phase makes."""
        return self.phases * self.voltage_v

    @property
    def max_power_w(self) -> int:
        """The most that the connector gives."""
        return self.max_current_a * self.watts_per_ampere

    def current_a(self, power_w: Decimal) -> Decimal:
        """Return the current per phase that makes a power, to 0.1 A."""
        return round(power_w / self.watts_per_ampere, 1)


@dataclass(frozen=True)
class Car:
    """A car that takes `power_w` when it may; `wants_wh` None: its battery never fills."""

    power_w: int
    wants_wh: Decimal | None = None

    def draws_w(self, offered_w: Decimal, supply: Supply) -> int:
        """Return the watts it takes of what is offered; 0 when that is too little to charge with."""
        if offered_w < LEAST_CURRENT_A * supply.watts_per_ampere:
            return 0
        return int(min(Decimal(self.power_w), offered_w))


class Meter:
    """An energy register that counts what flows; it never goes back."""

    def __init__(self, *, now: datetime, energy_wh: float = 0) -> None:
        self.power_w = 0
        self._energy_wh = energy_wh
        self._read_at = now

    def read_wh(self, *, now: datetime) -> float:
        """Return the register at a moment, counting what flowed since the last reading."""
        elapsed_s = max(0.0, (now - self._read_at).total_seconds())
        self._energy_wh += self.power_w * elapsed_s / 3600
        self._read_at = max(now, self._read_at)
        return self._energy_wh

    def flow(self, power_w: int, *, now: datetime) -> None:
        """Let another power flow from a moment on."""
        self.read_wh(now=now)
        self.power_w = power_w

"""What a charger said of its smart charging, whatever its version of OCPP, and an outlet of it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from chargers.schedule import Unit, ceiling

# Stations refuse frames over 16 KiB: so many periods fit into one.
MOST_PERIODS = 300
_UNIT_WORDS = {
    "current": Unit.AMPERE,
    "a": Unit.AMPERE,
    "amp": Unit.AMPERE,
    "amps": Unit.AMPERE,
    "ampere": Unit.AMPERE,
    "amperes": Unit.AMPERE,
    "power": Unit.WATT,
    "w": Unit.WATT,
    "watt": Unit.WATT,
    "watts": Unit.WATT,
}


@dataclass(frozen=True)
class Capabilities:
    """What a charger said of its smart charging; None and empty where it said nothing."""

    units: frozenset[Unit] = frozenset()
    max_periods: int | None = None
    max_stack_level: int | None = None
    max_profiles: int | None = None
    takes_profiles: bool | None = None

    @property
    def stack_level(self) -> int:
        """The one level that our profiles use; 0, which every charger has, where nothing was said."""
        return min(1, self.max_stack_level or 0)

    @property
    def most_periods(self) -> int:
        """How many periods one profile may have."""
        return min(self.max_periods or MOST_PERIODS, MOST_PERIODS)

    def unit_for(self, asked: Unit, *, is_dc: bool, phases: int = 3) -> Unit:
        """Return the unit to send: the asked one when the charger takes it.

        An AC charger that said nothing gets amps, a DC one watts. On less than three phases amps are
        preferred: OCPP assumes three where a profile doesn't say, so watts would be divided by too many.
        """
        if not self.units:
            return Unit.WATT if is_dc else Unit.AMPERE
        if not is_dc and phases < 3 and Unit.AMPERE in self.units:
            return Unit.AMPERE
        return asked if asked in self.units else next(iter(self.units))


@dataclass(frozen=True)
class Place:
    """An outlet as its charger knows it, and what the charger takes."""

    number: int
    voltage_v: int
    phases: int
    max_current_a: int
    is_dc: bool
    capabilities: Capabilities

    def ceiling(self, unit: Unit) -> Decimal:
        """Return the most that the outlet gives."""
        return ceiling(unit, voltage_v=self.voltage_v, phases=self.phases, max_current_a=self.max_current_a)


def units_in(text: str) -> frozenset[Unit]:
    """Return the units that a charger lists, in OCPP's words or its own."""
    return frozenset(_UNIT_WORDS[word] for word in words_of(text) if word in _UNIT_WORDS)


def words_of(text: str) -> list[str]:
    """Return the words of a list in one text, in lower case."""
    return [word for word in re.split(r"[\s,;|]+", text.casefold()) if word]


def number_of(text: str | None, *, least: int) -> int | None:
    """Return the whole number that a charger wrote; None for none, or one below `least`."""
    try:
        number = int(float(text)) if text is not None else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and number >= least else None

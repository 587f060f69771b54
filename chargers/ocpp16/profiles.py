"""Schedules as OCPP 1.6 smart-charging requests, and what a charger said that it takes. Pure.

OCPP 1.6 edition 2, sections 3.13, 5.5, 5.7 and 5.16, with errata v4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chargers.schedule import Schedule, Unit, as_number, windowed

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


def set_profile(
    schedule: Schedule, *, connector_id: int, profile_id: int, stack_level: int, transaction_id: int
) -> dict[str, Any]:
    """Return SetChargingProfile.req: a TxProfile with absolute times, at most one frame long.

    Raises ValueError for connector 0: a TxProfile belongs to one connector (OCPP 1.6, 3.13.1).
    """
    if connector_id < 1:
        raise ValueError("a TxProfile needs a connector above 0")
    window = windowed(schedule, MOST_PERIODS)
    charging_schedule: dict[str, Any] = {
        # Whole seconds: some chargers can't read fractions.
        "startSchedule": window.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "chargingRateUnit": window.unit.value,
        "chargingSchedulePeriod": [
            {"startPeriod": period.start_s, "limit": as_number(period.limit)} for period in window.periods
        ],
    }
    if window.duration_s is not None:
        charging_schedule["duration"] = window.duration_s
    if window.min_rate is not None:
        charging_schedule["minChargingRate"] = as_number(window.min_rate)
    return {
        "connectorId": connector_id,
        "csChargingProfiles": {
            "chargingProfileId": profile_id,
            "transactionId": transaction_id,
            "stackLevel": stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": charging_schedule,
        },
    }


def clear_profile(profile_id: int) -> dict[str, Any]:
    """Return ClearChargingProfile.req for one profile; without an id it would clear the whole station."""
    return {"id": profile_id}


def composite_request(connector_id: int, duration_s: int) -> dict[str, Any]:
    """Return GetCompositeSchedule.req; without a unit the charger answers in its own."""
    return {"connectorId": connector_id, "duration": duration_s}


@dataclass(frozen=True)
class Capabilities:
    """What a charger said of its smart charging; None and empty where it said nothing."""

    units: frozenset[Unit] = frozenset()
    max_periods: int | None = None
    max_stack_level: int | None = None
    max_profiles: int | None = None
    takes_profiles: bool | None = None

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, str]) -> Capabilities:
        """Return what GetConfiguration said; keys in any case, unreadable values are left out."""
        told = {key.casefold(): str(value) for key, value in configuration.items() if value is not None}
        words = _words(told.get("chargingscheduleallowedchargingrateunit", ""))
        features = _words(told.get("supportedfeatureprofiles", ""))
        return cls(
            units=frozenset(_UNIT_WORDS[word] for word in words if word in _UNIT_WORDS),
            max_periods=_number(told.get("chargingschedulemaxperiods"), least=1),
            max_stack_level=_number(told.get("chargeprofilemaxstacklevel"), least=0),
            max_profiles=_number(told.get("maxchargingprofilesinstalled"), least=1),
            takes_profiles="smartcharging" in features if features else None,
        )

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


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;|]+", text.casefold()) if word]


def _number(text: str | None, *, least: int) -> int | None:
    try:
        number = int(float(text)) if text is not None else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and number >= least else None

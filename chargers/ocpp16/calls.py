"""Our calls to OCPP 1.6 chargers, and what their answers mean. Pure.

OCPP 1.6 edition 2, sections 5.5, 5.7, 5.8 and 5.16.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargers import composite
from chargers.capabilities import Place
from chargers.ocpp16 import profiles
from chargers.schedule import Schedule
from chargers.schemas import check_own_call

SET, CLEAR, READ, CONFIGURATION = (
    "SetChargingProfile",
    "ClearChargingProfile",
    "GetCompositeSchedule",
    "GetConfiguration",
)
CONFIGURATION_KEYS = [
    "SupportedFeatureProfiles",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "ConnectorSwitch3to1PhaseSupported",
    "NumberOfConnectors",
    "MeterValuesSampledData",
]
_ASKED = {key.casefold(): key for key in CONFIGURATION_KEYS}
# OCPP's words for what an action can answer, in words of ours; anything else is a refusal.
_OUTCOMES = {
    SET: {"accepted": "ACCEPTED", "notsupported": "NOT_SUPPORTED"},
    CLEAR: {"accepted": "ACCEPTED", "unknown": "UNKNOWN"},
    READ: {"accepted": "ACCEPTED"},
}

OwnCall = tuple[str, dict[str, Any]]


def limit_call(place: Place, schedule: Schedule, *, transaction_id: int | str) -> OwnCall:
    """Return the call that makes a schedule rule a transaction. Raises ValueError: a mistake of ours."""
    payload = profiles.set_profile(
        schedule,
        connector_id=place.number,
        # One profile per outlet: it replaces what an earlier transaction left behind.
        profile_id=place.number,
        stack_level=place.capabilities.stack_level,
        transaction_id=transaction_id,
    )
    check_own_call(SET, payload, version="1.6")
    return SET, payload


def clear_call(place: Place) -> OwnCall:
    """Return the call that ends our profile at an outlet."""
    return CLEAR, profiles.clear_profile(place.number)


def read_call(place: Place, duration_s: int) -> OwnCall:
    """Return the call that asks for the schedule in force; the charger chooses the unit."""
    return READ, profiles.composite_request(place.number, duration_s)


def configuration_call() -> OwnCall:
    """Return the call that asks what the charger can do."""
    return CONFIGURATION, {"key": CONFIGURATION_KEYS}


def outcome_of(action: str, payload: Any) -> str:
    """Return what a CALLRESULT means; a status in odd letters is still a status."""
    status = payload.get("status") if isinstance(payload, dict) else None
    return _OUTCOMES[action].get(str(status).strip().casefold(), "REJECTED")


def schedule_of(
    place: Place, payload: Any, *, asked_duration_s: int, received_at: datetime
) -> Schedule | None:
    """Return the schedule in an answer to `read_call`; None when it tells of none."""
    if not isinstance(payload, dict):
        return None
    told = payload.get("chargingSchedule")
    own_start = told.get("startSchedule") if isinstance(told, dict) else None
    return composite.read(
        told,
        starts=(payload.get("scheduleStart"), own_start),
        asked_duration_s=asked_duration_s,
        received_at=received_at,
        place=place,
    )


def configuration_of(payload: Any) -> dict[str, str]:
    """Return the keys and values of an answer to `configuration_call`; those it can't tell are left out.

    So are those that it was not asked for, e.g. AuthorizationKey, which is a password.
    """
    told = payload.get("configurationKey") if isinstance(payload, dict) else None
    configuration = {}
    for entry in told if isinstance(told, list) else []:
        if not isinstance(entry, dict) or entry.get("value") is None:
            continue
        key = _ASKED.get(str(entry.get("key")).casefold())
        if key:
            configuration[key] = str(entry["value"])[:500]
    return configuration

"""Parts of OCPP 2.0.1 and 2.1 payloads, made of what OCPP 1.6 has for them. Pure."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

Payload = dict[str, Any]

UNITS = {"current": "A", "power": "W"}
# What a variable of SmartChargingCtrlr is among the keys of 1.6.
VARIABLES = {
    "ProfileStackLevel": "ChargeProfileMaxStackLevel",
    "RateUnit": "ChargingScheduleAllowedChargingRateUnit",
    "PeriodsPerSchedule": "ChargingScheduleMaxPeriods",
    "Entries": "MaxChargingProfilesInstalled",
    "Enabled": "SupportedFeatureProfiles",
    "Available": "SupportedFeatureProfiles",
}
_REPEATED = ("component", "variable", "attributeType")
TENTH = Decimal("0.1")


def token(tag: str) -> Payload:
    """Return a tag as IdTokenType."""
    return {"idToken": tag, "type": "ISO14443"}


def register(energy_wh: int, at: str, context: str) -> Payload:
    """Return the energy register as MeterValueType."""
    sample = {"value": energy_wh, "context": context, "measurand": "Energy.Active.Import.Register"}
    return {"timestamp": at, "sampledValue": [{**sample, "unitOfMeasure": {"unit": "Wh"}}]}


def meter_value(one: Payload) -> Payload:
    """Return a MeterValue of 1.6 as MeterValueType."""
    return {
        "timestamp": one["timestamp"],
        "sampledValue": [
            {
                "value": float(sample["value"]),
                "context": sample["context"],
                "measurand": sample["measurand"],
                "unitOfMeasure": {"unit": sample["unit"]},
            }
            for sample in one["sampledValue"]
        ],
    }


def variable(asked: Payload, keys: dict[str, str]) -> Payload:
    """Return one GetVariableResult out of the keys of 1.6."""
    same: Payload = {name: asked[name] for name in _REPEATED if name in asked}
    name = asked["variable"]["name"]
    if asked["component"]["name"] != "SmartChargingCtrlr":
        return {**same, "attributeStatus": "UnknownComponent"}
    key = VARIABLES.get(name, "")
    if key not in keys:
        return {**same, "attributeStatus": "UnknownVariable"}
    value = keys[key]
    if name == "RateUnit":
        value = ",".join(UNITS[word] for word in value.casefold().split(",") if word in UNITS)
    elif name in ("Enabled", "Available"):
        value = str("SmartCharging" in value).lower()
    return {**same, "attributeStatus": "Accepted", "attributeValue": value}


def tenths(limit: float) -> float:
    """Return a limit with one decimal, which is all that 1.6 has."""
    return float(Decimal(str(limit)).quantize(TENTH, rounding=ROUND_FLOOR))

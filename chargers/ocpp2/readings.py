"""Meter values as OCPP 2.0.1 and 2.1 chargers write them, in the form of OCPP 1.6, which we read. Pure.

OCPP 2.0.1 part 2, MeterValueType, SampledValueType and UnitOfMeasureType.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST_EXPONENT = 12
_FIELDS = ("measurand", "phase", "location", "context")


def as_16(meter_values: object) -> list[dict[str, Any]]:
    """Return a list of MeterValueType as OCPP 1.6 would have it; what is none is left out."""
    listed = meter_values if isinstance(meter_values, list) else []
    return [
        {
            "timestamp": one.get("timestamp"),
            "sampledValue": [_sample(sample) for sample in one["sampledValue"] if isinstance(sample, dict)],
        }
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("sampledValue"), list)
    ]


def _sample(sample: dict[str, Any]) -> dict[str, Any]:
    unit = sample.get("unitOfMeasure")
    unit = unit if isinstance(unit, dict) else {}
    fields: dict[str, Any] = {name: sample[name] for name in _FIELDS if name in sample}
    return {**fields, "value": _value(sample.get("value"), unit.get("multiplier")), "unit": unit.get("unit")}


def _value(value: object, multiplier: object) -> str:
    """Return the value with its power of ten."""
    exponent = multiplier if isinstance(multiplier, int) and not isinstance(multiplier, bool) else 0
    if exponent == 0 or abs(exponent) > LARGEST_EXPONENT:
        return str(value)
    try:
        return f"{Decimal(str(value)).scaleb(exponent):f}"
    except InvalidOperation:
        return str(value)

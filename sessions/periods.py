"""Charging periods of our sessions: only closed ones are told, an hour each and the rest at the end."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpi.protocol.times import format_datetime


def close_period(
    document: dict[str, Any], started_at: datetime, ended_at: datetime, kwh: Decimal
) -> list[dict[str, Any]]:
    """Return the session's charging periods with one more, from `started_at` to `ended_at`.

    kwh is the session's energy at `ended_at`; the period gets what the earlier ones don't have.
    Spec: OCPI 2.2.1 mod_cdrs, ChargingPeriod and CdrDimension: ENERGY in kWh, TIME in hours.
    """
    periods = list(document.get("charging_periods") or [])
    told = sum(
        (
            Decimal(str(dimension["volume"]))
            for period in periods
            for dimension in period["dimensions"]
            if dimension["type"] == "ENERGY"
        ),
        Decimal(0),
    )
    hours = max((ended_at - started_at).total_seconds(), 0) / 3600
    energy = {"type": "ENERGY", "volume": float(max(kwh - told, Decimal(0)))}
    time = {"type": "TIME", "volume": round(hours, 4)}
    return [*periods, {"start_date_time": format_datetime(started_at), "dimensions": [energy, time]}]

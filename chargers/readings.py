"""Meter values and times as OCPP 1.6 writes them; those of 2.x are brought into this form. Pure.

OCPP 1.6 edition 2, sections 3.16, 7.28 to 7.43.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

ENERGY = "Energy.Active.Import.Register"
OFFERED = ("Current.Offered", "Power.Offered")
# No meter of a charger counts so far: such a number is a fault.
ABSURD_WH = 10**12
# Before that no charger spoke OCPP 1.6: its clock is not set.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Reading:
    """What a MeterValues message tells: the newest energy register in Wh, and what is offered."""

    energy_wh: int | None
    offered: str
    at: datetime


def read_time(value: object, *, now: datetime) -> datetime:
    """Return the moment that a charger names; `now` when it can't be read or its clock is plainly wrong."""
    try:
        moment = datetime.fromisoformat(str(value))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return moment if EARLIEST <= moment <= now + MOST_AHEAD else now


def read_meter(meter_values: object, *, now: datetime) -> Reading:
    """Return what a list of meterValue tells; of several samples of a kind the newest counts."""
    energy: tuple[datetime, int] | None = None
    offered: dict[str, tuple[datetime, str]] = {}
    latest: datetime | None = None
    for at, sample in _samples(meter_values, now=now):
        latest = at if latest is None else max(latest, at)
        measurand = sample.get("measurand") or ENERGY
        # A value of one phase is a part; signed data is not a number.
        is_whole = not sample.get("phase") and sample.get("format") != "SignedData"
        if measurand == ENERGY and is_whole and sample.get("location") in (None, "Outlet"):
            wh = _energy_wh(sample)
            if wh is not None and (energy is None or at >= energy[0]):
                energy = (at, wh)
        elif measurand in OFFERED:
            text = f"{measurand} {sample.get('value')} {sample.get('unit') or ''}".strip()
            kept = offered.get(measurand)
            if kept is None or at >= kept[0]:
                offered[measurand] = (at, text)
    texts = [offered[measurand][1] for measurand in OFFERED if measurand in offered]
    return Reading(
        energy_wh=energy[1] if energy else None,
        offered=texts[0][:40] if texts else "",
        at=energy[0] if energy else latest or now,
    )


def clamped_wh(value: int) -> int:
    """Return a meter register that a database can hold."""
    return max(-ABSURD_WH, min(ABSURD_WH, value))


def _samples(meter_values: object, *, now: datetime) -> Iterator[tuple[datetime, dict[str, Any]]]:
    for meter_value in meter_values if isinstance(meter_values, list) else []:
        if not isinstance(meter_value, dict):
            continue
        at = read_time(meter_value.get("timestamp"), now=now)
        sampled = meter_value.get("sampledValue")
        for sample in sampled if isinstance(sampled, list) else []:
            if isinstance(sample, dict):
                yield at, sample


def _energy_wh(sample: dict[str, Any]) -> int | None:
    try:
        value = Decimal(str(sample.get("value")).strip())
    except InvalidOperation:
        return None
    unit = str(sample.get("unit") or "Wh").casefold()
    if unit not in ("wh", "kwh") or not (value.is_finite() and 0 <= value <= ABSURD_WH):
        return None
    wh = int(value * 1000 if unit == "kwh" else value)
    return wh if wh <= ABSURD_WH else None

"""What chargers answer to GetCompositeSchedule, cleaned of what chargers are known to get wrong. Pure.

OCPP 1.6 edition 2, section 6.22, with errata v4, 3.57; OCPP 2.0.1 part 2, K08.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chargers.capabilities import Place
from chargers.profile_fields import TEN_YEARS_S, floored
from chargers.schedule import Period, Schedule, Unit, merged


def read(
    told: object,
    *,
    starts: tuple[object, ...],
    asked_duration_s: int,
    received_at: datetime,
    place: Place,
) -> Schedule | None:
    """Return the schedule that the charger says is in force, None when it tells of no limit.

    `starts` are the starts that its answer names, the likelier first. A negative or absurd limit is "no
    limit": the EVSE's maximum stands for it, as it does before a first period after 0. None for no schedule
    and for one with only "no limit" periods.
    """
    if not isinstance(told, dict):
        return None
    try:
        unit = Unit(str(told.get("chargingRateUnit")).upper())
    except ValueError:
        return None
    duration_s = _duration(told.get("duration")) or asked_duration_s
    limits = {start_s: limit for start_s, limit in _periods(told) if start_s < duration_s}
    if all(limit is None for limit in limits.values()):
        return None
    most = place.ceiling(unit)
    limits.setdefault(0, None)
    starts_at = _start(
        starts,
        received_at=received_at,
        asked=timedelta(seconds=asked_duration_s),
        duration=timedelta(seconds=duration_s),
    )
    periods = tuple(
        Period(start_s, most if limit is None else limit) for start_s, limit in sorted(limits.items())
    )
    return merged(Schedule(starts_at=starts_at, unit=unit, periods=periods, duration_s=duration_s))


def _periods(told: dict[str, Any]) -> list[tuple[int, Decimal | None]]:
    """Return starts in whole seconds with their limits, None for "no limit"; without a start left out."""
    listed = told.get("chargingSchedulePeriod")
    periods = []
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict):
            continue
        try:
            start_s = max(0, int(floored(item.get("startPeriod"))))
        except ValueError:
            continue
        periods.append((start_s, _limit(item.get("limit"))))
    return sorted(periods, key=lambda period: period[0])


def _limit(value: object) -> Decimal | None:
    try:
        limit = floored(value)
    except ValueError:
        return None
    return None if limit < 0 else limit


def _duration(value: object) -> int | None:
    try:
        duration_s = int(floored(value))
    except ValueError:
        return None
    return duration_s if 0 < duration_s <= TEN_YEARS_S else None


def _start(
    told: tuple[object, ...], *, received_at: datetime, asked: timedelta, duration: timedelta
) -> datetime:
    """Return the first start that is readable and can be true: a schedule for now must reach now."""
    for text in told:
        try:
            starts_at = datetime.fromisoformat(str(text))
            if starts_at.tzinfo is None:
                starts_at = starts_at.replace(tzinfo=UTC)
            if starts_at - asked <= received_at < starts_at + duration:
                return starts_at
        except (ValueError, OverflowError):
            continue
    return received_at

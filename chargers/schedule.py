"""Schedules: limits over time, the common form of every charging profile, and what can be done with them.

Pure: no clock, no I/O. Limits are Decimals of at most one decimal, amperes per phase or watts in total, as in
OCPI and OCPP alike; rounding is always down, so that nothing is ever above what was asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from chargers.profile_fields import ProfileError, floored, read_limit, read_seconds, read_start

MOST_PERIODS = 1024


class Unit(StrEnum):
    """What a limit counts: amperes per phase, or watts in total."""

    AMPERE = "A"
    WATT = "W"


@dataclass(frozen=True)
class Period:
    """A limit from `start_s` seconds after the schedule's start until the next period."""

    start_s: int
    limit: Decimal


@dataclass(frozen=True)
class Schedule:
    """Limits over [starts_at, ends_at); the first period starts at 0, the last runs to the end.

    `starts_at` is kept in UTC and in whole seconds, as OCPP has it. Without `duration_s` it has no end.
    """

    starts_at: datetime
    unit: Unit
    periods: tuple[Period, ...]
    duration_s: int | None = None
    min_rate: Decimal | None = None

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None:
            raise ValueError("starts_at must be aware")
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC).replace(microsecond=0))
        if not self.periods or self.periods[0].start_s != 0:
            raise ValueError("the first period must start at 0")

    @property
    def ends_at(self) -> datetime | None:
        """The moment from which it limits nothing any more; None when it has no end."""
        return None if self.duration_s is None else self.starts_at + timedelta(seconds=self.duration_s)

    def limit_at(self, moment: datetime) -> Decimal | None:
        """Return the limit at a moment; None before the start and from the end on."""
        if moment < self.starts_at or (self.ends_at is not None and moment >= self.ends_at):
            return None
        return self.periods[self._index_at(moment)].limit

    def to_document(self) -> dict[str, Any]:
        """Return the schedule as JSON; `from_document` reads it back."""
        return {
            "starts_at": _timestamp(self.starts_at),
            "unit": self.unit.value,
            "duration_s": self.duration_s,
            "min_rate": None if self.min_rate is None else as_number(self.min_rate),
            "periods": [{"start_s": p.start_s, "limit": as_number(p.limit)} for p in self.periods],
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Schedule:
        """Return the schedule that `to_document` wrote."""
        min_rate = document["min_rate"]
        return cls(
            starts_at=datetime.fromisoformat(document["starts_at"]),
            unit=Unit(document["unit"]),
            periods=tuple(Period(p["start_s"], Decimal(str(p["limit"]))) for p in document["periods"]),
            duration_s=document["duration_s"],
            min_rate=None if min_rate is None else Decimal(str(min_rate)),
        )

    def _index_at(self, moment: datetime) -> int:
        elapsed_s = (moment - self.starts_at).total_seconds()
        return max(0, bisect_right(self.periods, elapsed_s, key=lambda period: period.start_s) - 1)


def from_charging_profile(document: dict[str, Any], *, relative_to: datetime) -> Schedule:
    """Return the schedule that an OCPI ChargingProfile means, in a form that every charger can be sent.

    Without start_date_time it counts from `relative_to`, the start of charging. Periods are sorted, limits
    rounded down; a first period after 0 moves the start, periods at or past the duration are left out.
    Raises ProfileError. Spec: OCPI 2.2.1 mod_charging_profiles, "ChargingProfile"; OCPP 1.6 errata 3.45.
    """
    periods = _periods(document.get("charging_profile_period"))
    starts_at = read_start(document.get("start_date_time"), "start_date_time", relative_to=relative_to)
    duration_s = document.get("duration")
    if duration_s is not None:
        duration_s = read_seconds(duration_s, "duration")
        periods = [period for period in periods if period.start_s < duration_s]
        if not periods:
            raise ProfileError("duration", "it ends before its first period begins")
    shift_s = periods[0].start_s
    rate = document.get("min_charging_rate")
    return Schedule(
        starts_at=starts_at + timedelta(seconds=shift_s),
        unit=_unit(document.get("charging_rate_unit")),
        periods=tuple(Period(period.start_s - shift_s, period.limit) for period in periods),
        duration_s=None if duration_s is None else duration_s - shift_s,
        min_rate=None if rate is None else read_limit(rate, "min_charging_rate"),
    )


def trimmed(schedule: Schedule, *, now: datetime) -> Schedule | None:
    """Return the schedule without the periods that are over, None when nothing is left to come."""
    if schedule.ends_at is not None and schedule.ends_at <= now:
        return None
    current = schedule._index_at(now)
    passed_s = schedule.periods[current].start_s
    return replace(
        schedule,
        starts_at=schedule.starts_at + timedelta(seconds=passed_s),
        periods=tuple(Period(p.start_s - passed_s, p.limit) for p in schedule.periods[current:]),
        duration_s=None if schedule.duration_s is None else schedule.duration_s - passed_s,
    )


def converted(schedule: Schedule, unit: Unit, *, voltage_v: int, phases: int) -> Schedule:
    """Return the schedule in another unit: A = W / (V * n), W = A * V * n; never above the original."""
    if schedule.unit == unit:
        return schedule
    watts_per_ampere = Decimal(voltage_v * phases)

    def convert(limit: Decimal) -> Decimal:
        return floored(limit * watts_per_ampere if unit == Unit.WATT else limit / watts_per_ampere)

    return replace(
        schedule,
        unit=unit,
        periods=tuple(Period(period.start_s, convert(period.limit)) for period in schedule.periods),
        min_rate=None if schedule.min_rate is None else convert(schedule.min_rate),
    )


def merged(schedule: Schedule) -> Schedule:
    """Return the schedule with neighbours of the same limit made one."""
    periods = schedule.periods
    kept = [p for i, p in enumerate(periods) if i == 0 or p.limit != periods[i - 1].limit]
    return replace(schedule, periods=tuple(kept))


def windowed(schedule: Schedule, most_periods: int) -> Schedule:
    """Return a schedule of at most that many periods; the last one carries the lowest limit of the rest.

    So a charger that can't be reached to renew the window is never above the whole schedule.
    """
    schedule = merged(schedule)
    last = max(1, most_periods) - 1
    if len(schedule.periods) <= last + 1:
        return schedule
    rest = min(period.limit for period in schedule.periods[last:])
    return replace(schedule, periods=(*schedule.periods[:last], Period(schedule.periods[last].start_s, rest)))


def lowest(
    schedules: Iterable[Schedule],
    *,
    unit: Unit,
    voltage_v: int,
    phases: int,
    now: datetime,
    ceiling: Decimal | None = None,
) -> Schedule | None:
    """Return the lowest limit of several schedules over time from now on, None when all are over.

    A source limits only inside its own [starts_at, ends_at). Between sources, where none limits, `ceiling`
    (in `unit`) rules; without one the limit before the gap stays. min_rate is kept when one source is left.
    """
    sources = [
        converted(left, unit, voltage_v=voltage_v, phases=phases)
        for schedule in schedules
        if (left := trimmed(schedule, now=now)) is not None
    ]
    if not sources:
        return None
    if len(sources) == 1:
        return merged(sources[0])
    ends = [source.ends_at for source in sources]
    moments = {s.starts_at + timedelta(seconds=p.start_s) for s in sources for p in s.periods}
    last_end = None if None in ends else max(end for end in ends if end is not None)
    changes = sorted(moments | {end for end in ends if end is not None and end != last_end})
    periods: list[Period] = []
    for moment in changes:
        limits = [limit for source in sources if (limit := source.limit_at(moment)) is not None]
        limit = min(limits) if limits else ceiling if ceiling is not None else periods[-1].limit
        periods.append(Period(int((moment - changes[0]).total_seconds()), limit))
    duration_s = None if last_end is None else int((last_end - changes[0]).total_seconds())
    whole = Schedule(starts_at=changes[0], unit=unit, periods=tuple(periods), duration_s=duration_s)
    left = trimmed(whole, now=now)
    return None if left is None else merged(left)


def to_active_profile(
    schedule: Schedule, *, now: datetime, horizon_s: int, ceiling: Decimal
) -> dict[str, Any]:
    """Return the OCPI ActiveChargingProfile over [now, now + horizon_s).

    Where the schedule limits nothing, the EVSE's maximum (`ceiling`, in the schedule's unit) is told.
    Spec: OCPI 2.2.1 mod_charging_profiles, "ActiveChargingProfile".
    """
    begins_at = now.astimezone(UTC).replace(microsecond=0)
    offset_s = int((schedule.starts_at - begins_at).total_seconds())
    starts = {0} | {offset_s + period.start_s for period in schedule.periods}
    if schedule.duration_s is not None:
        starts.add(offset_s + schedule.duration_s)
    periods = []
    for start_s in sorted(start_s for start_s in starts if 0 <= start_s < max(1, horizon_s)):
        limit = schedule.limit_at(begins_at + timedelta(seconds=start_s))
        periods.append(Period(start_s, ceiling if limit is None else limit))
    active = merged(Schedule(begins_at, schedule.unit, tuple(periods), horizon_s, schedule.min_rate))
    profile: dict[str, Any] = {
        "start_date_time": _timestamp(begins_at),
        "duration": horizon_s,
        "charging_rate_unit": active.unit.value,
        "charging_profile_period": [
            {"start_period": period.start_s, "limit": as_number(period.limit)} for period in active.periods
        ],
    }
    if active.min_rate is not None:
        profile["min_charging_rate"] = as_number(active.min_rate)
    return {"start_date_time": _timestamp(begins_at), "charging_profile": profile}


def ceiling(unit: Unit, *, voltage_v: int, phases: int, max_current_a: int) -> Decimal:
    """Return the most that an EVSE gives: A per phase, or W in total."""
    return Decimal(max_current_a if unit == Unit.AMPERE else max_current_a * voltage_v * phases)


def maximum(
    unit: Unit = Unit.WATT,
    *,
    voltage_v: int,
    phases: int,
    max_current_a: int,
    starts_at: datetime,
    duration_s: int | None,
) -> Schedule:
    """Return an EVSE's maximum as a schedule."""
    most = ceiling(unit, voltage_v=voltage_v, phases=phases, max_current_a=max_current_a)
    return Schedule(starts_at=starts_at, unit=unit, periods=(Period(0, most),), duration_s=duration_s)


def as_number(value: Decimal) -> int | float:
    """Return the JSON number of a limit: whole ones without a fraction."""
    return int(value) if value == value.to_integral_value() else float(value)


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _periods(listed: object) -> list[Period]:
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise ProfileError("charging_profile_period", "must list at least one period")
    if len(listed) > MOST_PERIODS:
        raise ProfileError("charging_profile_period", f"must list at most {MOST_PERIODS} periods")
    periods = []
    for index, item in enumerate(listed):
        name = f"charging_profile_period[{index}]"
        if not isinstance(item, dict):
            raise ProfileError(name, "must be an object")
        start_s = read_seconds(item.get("start_period"), f"{name}.start_period")
        periods.append(Period(start_s, read_limit(item.get("limit"), f"{name}.limit")))
    periods.sort(key=lambda period: period.start_s)
    for earlier, later in pairwise(periods):
        if earlier.start_s == later.start_s:
            raise ProfileError("charging_profile_period", f"has two periods that start at {later.start_s}")
    return periods


def _unit(value: object) -> Unit:
    try:
        return Unit(str(value))
    except ValueError:
        raise ProfileError("charging_rate_unit", "must be W or A") from None

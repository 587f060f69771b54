"""The one schedule that a charger is to be sent when several sources limit a transaction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chargers.capabilities import Place
from chargers.schedule import Schedule, lowest, merged, windowed

# A window is renewed so long before its last period begins where it can be, and no more often than this.
RENEW_BEFORE = timedelta(seconds=60)
LEAST_WINDOW = timedelta(seconds=10)


@dataclass(frozen=True)
class Ruling:
    """What a charger is to be sent: the schedule, and when to send what then is left of the whole."""

    schedule: Schedule
    renew_at: datetime | None


class UnableToSend(Exception):
    """There is no call that would do what is wanted; the message says why."""


def ruling(place: Place, schedules: Sequence[Schedule], *, now: datetime) -> Ruling | None:
    """Return the lowest of some limits, in a unit and length that the charger takes; None when all are over.

    The last one's unit is used where the charger takes it. A schedule of more periods than it takes is cut to
    a window, to be renewed before its last period begins. Raises UnableToSend.
    """
    capabilities = place.capabilities
    unit = capabilities.unit_for(schedules[-1].unit, is_dc=place.is_dc, phases=place.phases)
    if place.is_dc and any(schedule.unit != unit for schedule in schedules):
        # Between A and W stands the battery's voltage, which nobody told us.
        raise UnableToSend("watts and amperes of DC can't be converted")
    whole = lowest(
        schedules,
        unit=unit,
        voltage_v=place.voltage_v,
        phases=place.phases,
        now=now,
        ceiling=place.ceiling(unit),
    )
    if whole is None:
        return None
    window = windowed(whole, capabilities.most_periods)
    return Ruling(window, _renewal(whole, window, now=now))


def _renewal(whole: Schedule, window: Schedule, *, now: datetime) -> datetime | None:
    """Return when to renew a window; None when it is the whole."""
    periods = merged(whole).periods
    if len(periods) <= len(window.periods):
        return None
    starts = [whole.starts_at + timedelta(seconds=period.start_s) for period in periods]
    last = len(window.periods) - 1
    # A new window is another one only once the first period has passed.
    moment = max(starts[last] - RENEW_BEFORE, starts[last - 1]) if last > 1 else starts[1]
    return max(moment, now + LEAST_WINDOW)

"""The one schedule that a charger is to be sent when several sources limit a transaction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chargers.capabilities import Place
from chargers.schedule import Schedule, lowest, windowed


class UnableToSend(Exception):
    """There is no call that would do what is wanted; the message says why."""


def ruling_schedule(place: Place, schedules: Sequence[Schedule], *, now: datetime) -> Schedule | None:
    """Return the lowest of some limits, in a unit and length that the charger takes; None when all are over.

    The last one's unit is used where the charger takes it. Raises UnableToSend.
    """
    capabilities = place.capabilities
    unit = capabilities.unit_for(schedules[-1].unit, is_dc=place.is_dc, phases=place.phases)
    if place.is_dc and any(schedule.unit != unit for schedule in schedules):
        # Between A and W stands the battery's voltage, which nobody told us.
        raise UnableToSend("watts and amperes of DC can't be converted")
    ruling = lowest(
        schedules,
        unit=unit,
        voltage_v=place.voltage_v,
        phases=place.phases,
        now=now,
        ceiling=place.ceiling(unit),
    )
    return None if ruling is None else windowed(ruling, capabilities.most_periods)

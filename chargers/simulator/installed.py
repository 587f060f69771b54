"""One charging profile inside the simulated station, checked by the rules of OCPP 1.6.

OCPP 1.6 edition 2, sections 3.13 and 5.16, with errata v4, 3.45.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chargers.schedule import Period, Schedule, Unit


class Unfit(Exception):
    """The station does not take a profile; the message says why."""


@dataclass(frozen=True)
class Installed:
    """A charging profile that the station holds; without `starts_at` it counts from the start of charging."""

    connector: int
    profile_id: int
    stack_level: int
    purpose: str
    transaction_id: int | None
    valid_from: datetime | None
    valid_to: datetime | None
    starts_at: datetime | None
    unit: Unit
    periods: tuple[Period, ...]
    duration_s: int | None

    def schedule(self, *, started_at: datetime) -> Schedule:
        """Return its limits over time for a transaction that started then."""
        return Schedule(self.starts_at or started_at, self.unit, self.periods, self.duration_s)

    def limit_at(self, moment: datetime, *, started_at: datetime) -> Decimal | None:
        """Return its limit at a moment, None when it says nothing about it."""
        if self.valid_from is not None and moment < self.valid_from:
            return None
        if self.valid_to is not None and moment >= self.valid_to:
            return None
        return self.schedule(started_at=started_at).limit_at(moment)


def read_profile(connector: int, document: dict[str, Any]) -> Installed:
    """Return the profile of a payload that fits the official schema. Raises Unfit."""
    schedule = document["chargingSchedule"]
    kind = document["chargingProfileKind"]
    if kind == "Recurring":
        raise Unfit("this station knows no recurring profiles")
    if kind == "Absolute" and "startSchedule" not in schedule:
        raise Unfit("an absolute profile needs startSchedule")
    purpose = document["chargingProfilePurpose"]
    if purpose == "TxProfile" and connector == 0:
        raise Unfit("a TxProfile belongs to one connector")
    if purpose == "ChargePointMaxProfile" and connector != 0:
        raise Unfit("a ChargePointMaxProfile belongs to connector 0")
    return Installed(
        connector=connector,
        profile_id=document["chargingProfileId"],
        stack_level=document["stackLevel"],
        purpose=purpose,
        transaction_id=document.get("transactionId"),
        valid_from=_moment(document.get("validFrom")),
        valid_to=_moment(document.get("validTo")),
        starts_at=_moment(schedule.get("startSchedule")) if kind == "Absolute" else None,
        unit=Unit(schedule["chargingRateUnit"]),
        periods=_periods(schedule["chargingSchedulePeriod"]),
        duration_s=schedule.get("duration"),
    )


def _periods(listed: list[dict[str, Any]]) -> tuple[Period, ...]:
    if not listed:
        raise Unfit("a schedule needs a period")
    periods = tuple(Period(item["startPeriod"], Decimal(str(item["limit"]))) for item in listed)
    starts = [period.start_s for period in periods]
    if starts[0] != 0:
        raise Unfit("the first period must start at 0")
    if starts != sorted(set(starts)):
        raise Unfit("periods must be in ascending order")
    if any(period.limit < 0 for period in periods):
        raise Unfit("a limit must not be negative")
    return periods


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(f"{text} is not a date and time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

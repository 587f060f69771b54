"""Commands that tests owe a charger."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from chargers.commands import clear_limit, read_schedule, set_limit
from chargers.models import Command, Transaction
from chargers.schedule import Period, Schedule, Unit
from tests.waiting import wait_for

SET = "SetChargingProfile"
CLEAR = "ClearChargingProfile"
READ = "GetCompositeSchedule"
ACCEPTED = {"status": "Accepted"}
AMPS_16 = {
    "status": "Accepted",
    "connectorId": 1,
    "chargingSchedule": {
        "duration": 600,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
    },
}


def schedule(
    *limits: float,
    unit: Unit = Unit.AMPERE,
    starts_at: datetime | None = None,
    step_s: int = 600,
    **fields: Any,
) -> Schedule:
    """Return a schedule with a limit per step, from now on."""
    periods = tuple(Period(step_s * n, Decimal(str(limit))) for n, limit in enumerate(limits))
    return Schedule(starts_at=starts_at or timezone.now(), unit=unit, periods=periods, **fields)


def owe_limit(
    transaction_id: int, *limits: float, source: str = "partner:1", within_s: float = 10, **fields: Any
) -> Command:
    """Owe the charger a limit."""
    now = timezone.now()
    return set_limit(
        transaction=Transaction.objects.get(pk=transaction_id),
        source=source,
        schedule=schedule(*limits, **fields),
        deadline_at=now + timedelta(seconds=within_s),
        now=now,
    )


def owe_clear(transaction_id: int, *, source: str = "partner:1", within_s: float = 10) -> Command:
    """Owe the charger the end of a limit."""
    now = timezone.now()
    return clear_limit(
        transaction=Transaction.objects.get(pk=transaction_id),
        source=source,
        deadline_at=now + timedelta(seconds=within_s),
        now=now,
    )


def owe_reading(
    transaction_id: int, *, duration_s: int = 600, within_s: float = 10, delay_s: float = 0
) -> Command:
    """Owe us the schedule in force."""
    now = timezone.now()
    return read_schedule(
        transaction=Transaction.objects.get(pk=transaction_id),
        duration_s=duration_s,
        deadline_at=now + timedelta(seconds=within_s),
        now=now,
        delay_s=delay_s,
    )


def settled(command: Command, *, within_s: float = 5) -> tuple[str, str]:
    """Return (state, outcome) of a command once it is settled."""

    def is_settled() -> bool:
        command.refresh_from_db()
        return command.settled_at is not None

    wait_for(is_settled, within_s)
    return command.state, command.outcome


def limits(transaction_id: int) -> dict[str, list[float]]:
    """Return the limits that the charger accepted, by source."""
    rows = Transaction.objects.get(pk=transaction_id).limits.all()
    return {row.source: [period["limit"] for period in row.schedule["periods"]] for row in rows}


def sent_limits(payload: dict[str, Any]) -> list[float]:
    """Return the limits in a SetChargingProfile."""
    periods = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    return [period["limit"] for period in periods]

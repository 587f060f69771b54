"""What the rest of the node may ask of chargers. A command is a row; a gateway sends it in its own time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction as database
from django.db.models import QuerySet

from chargers.models import Charger, Command, Limit, Transaction
from chargers.owing import owe, wake
from chargers.schedule import Schedule, ceiling, lowest
from chargers.settlement import Kind, State, settle

# The source of a READ_SCHEDULE that nobody asked for: the charger showed a sign of change.
SIGN = "sign"
# Gateways say every second that they live; one that is silent for so long has lost its chargers.
HEARTBEAT_LIMIT = timedelta(seconds=5)


def set_limit(
    *, transaction: Transaction, source: str, schedule: Schedule, deadline_at: datetime, now: datetime
) -> Command:
    """Owe the charger a limit of one source; the lowest of all sources' limits is what it will be sent.

    A command of the same source that was not sent yet is cancelled: the newest wish rules.
    """
    return _replace(
        Kind.SET_LIMIT,
        transaction=transaction,
        source=source,
        deadline_at=deadline_at,
        now=now,
        schedule=schedule.to_document(),
    )


def clear_limit(*, transaction: Transaction, source: str, deadline_at: datetime, now: datetime) -> Command:
    """Owe the charger the end of one source's limit; other sources' limits stay."""
    return _replace(
        Kind.CLEAR_LIMIT, transaction=transaction, source=source, deadline_at=deadline_at, now=now
    )


def read_schedule(
    *,
    transaction: Transaction,
    duration_s: int,
    deadline_at: datetime,
    now: datetime,
    delay_s: float = 0,
) -> Command:
    """Owe us the schedule in force for the next `duration_s` seconds, asked for in `delay_s` seconds.

    A delayed reading is for a sign of change; further signs until then are the same reading, and one that is
    wanted at once takes its place when it looks as far.
    """
    waiting = Command.objects.filter(
        transaction=transaction, kind=Kind.READ_SCHEDULE, source=SIGN, state=State.QUEUED
    ).first()
    if waiting is not None and delay_s > 0:
        return waiting
    if waiting is not None and duration_s >= (waiting.duration_s or 0):
        taken = Command.objects.filter(pk=waiting.pk, state=State.QUEUED, source=SIGN).update(
            source="", not_before=now, duration_s=duration_s, deadline_at=deadline_at
        )
        if taken:
            waiting.refresh_from_db()
            wake(waiting.charger_id)
            return waiting
    return owe(
        Kind.READ_SCHEDULE,
        outlet=transaction.outlet,
        transaction=transaction,
        source=SIGN if delay_s > 0 else "",
        duration_s=duration_s,
        deadline_at=deadline_at,
        not_before=now + timedelta(seconds=delay_s),
        now=now,
    )


def cancel(command_id: int, *, now: datetime) -> bool:
    """Cancel a command that was not sent yet, and settle it; False when it is too late."""
    command = Command.objects.filter(pk=command_id, state=State.QUEUED).first()
    return command is not None and settle(command, state=State.CANCELLED, now=now, expected=(State.QUEUED,))


def has_limit(transaction: Transaction, source: str) -> bool:
    """Tell whether the charger accepted a limit of this source that stands."""
    return Limit.objects.filter(transaction=transaction, source=source).exists()


def is_connected(charger: Charger, *, now: datetime) -> bool:
    """Tell whether a living gateway holds the charger's socket."""
    return connected(Charger.objects.filter(pk=charger.pk), now=now).exists()


def connected(chargers: QuerySet[Charger], *, now: datetime) -> QuerySet[Charger]:
    """Return those of the chargers whose socket a living gateway holds."""
    return chargers.filter(gateway__heartbeat_at__gt=now - HEARTBEAT_LIMIT)


def effective(transaction: Transaction, now: datetime) -> Schedule | None:
    """Return the lowest of the limits that the charger accepted from now on; None when none is left."""
    limits = transaction.limits.order_by("accepted_at", "id")
    schedules = [Schedule.from_document(limit.schedule) for limit in limits]
    if not schedules:
        return None
    outlet = transaction.outlet
    unit = schedules[-1].unit
    most = ceiling(unit, voltage_v=outlet.voltage_v, phases=outlet.phases, max_current_a=outlet.max_current_a)
    return lowest(
        schedules, unit=unit, voltage_v=outlet.voltage_v, phases=outlet.phases, now=now, ceiling=most
    )


def _replace(kind: str, *, transaction: Transaction, source: str, now: datetime, **fields: Any) -> Command:
    with database.atomic():
        older = Command.objects.filter(
            transaction=transaction,
            source=source,
            kind__in=(Kind.SET_LIMIT, Kind.CLEAR_LIMIT),
            state=State.QUEUED,
        )
        for command in older:
            settle(command, state=State.CANCELLED, now=now, expected=(State.QUEUED,))
        return owe(kind, outlet=transaction.outlet, transaction=transaction, source=source, now=now, **fields)

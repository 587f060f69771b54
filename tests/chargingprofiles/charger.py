"""Settles commands the way the gateway does, without a charger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from chargers.models import Command
from chargers.schedule import Period, Schedule, Unit
from chargers.settlement import settle

State, Outcome = Command.State, Command.Outcome


def pending(kind: str = "") -> Command:
    """Return the one command that is owed (of a kind)."""
    commands = Command.objects.filter(state__in=[State.QUEUED, State.SENT])
    return commands.get(kind=kind) if kind else commands.get()


def says(
    outcome: str, *, command: Command | None = None, told: Schedule | None = None, now: datetime | None = None
) -> Command:
    """Have the charger answer a command, by default the only one that is owed."""
    command = command or pending()
    document = told.to_document() if told else None
    settle(command, state=State.ANSWERED, outcome=outcome, told=document, now=now or timezone.now())
    command.refresh_from_db()
    return command


def is_silent(*, command: Command | None = None, now: datetime | None = None) -> Command:
    """Let the time of a command run out."""
    command = command or pending()
    settle(command, state=State.NO_ANSWER, now=now or timezone.now())
    command.refresh_from_db()
    return command


def schedule(*limits_a: float, starts_at: datetime, step_s: int = 600, **fields: Any) -> Schedule:
    """Return a schedule in amperes with a limit per step."""
    from decimal import Decimal

    periods = tuple(Period(step_s * n, Decimal(str(limit))) for n, limit in enumerate(limits_a))
    return Schedule(starts_at=starts_at, unit=Unit.AMPERE, periods=periods, **fields)

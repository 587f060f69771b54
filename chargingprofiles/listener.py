"""What follows when a charger's command is settled: the decision, and what is active afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargers.models import Command
from chargers.schedule import Schedule
from chargingprofiles import active
from chargingprofiles.decisions import Decision, decide, decision_of
from chargingprofiles.models import Kind, ProfileRequest

_CHANGES = (Command.Kind.SET_LIMIT, Command.Kind.CLEAR_LIMIT, Command.Kind.RESTORE)
# UNKNOWN: what was to be cleared is gone, and the charger may have lost it without a word.
_DONE = (Command.Outcome.ACCEPTED, Command.Outcome.UNKNOWN)


def on_command_settled(*, command: Command, now: datetime, **_: Any) -> None:
    """Decide the request behind a settled command and see to the active profile.

    Runs inside the transaction that settles the command: its answer and our duties are stored together.
    """
    request = ProfileRequest.objects.select_related("partner").filter(command=command).first()
    if request is not None:
        _decide(request, command, now=now)
    if command.transaction is None:
        return
    if command.kind == Command.Kind.READ_SCHEDULE:
        active.schedule_read(command, is_asked_for=request is not None, now=now)
    elif command.kind in _CHANGES and command.outcome in _DONE:
        active.limits_changed(command.transaction, now=now)


def _decide(request: ProfileRequest, command: Command, *, now: datetime) -> None:
    decision, reason = decision_of(command)
    profile = None
    told = command.told_schedule
    if request.kind == Kind.GET and decision == Decision.ACCEPTED and told is not None:
        schedule = Schedule.from_document(told)
        profile = active.to_tell(schedule, command.outlet, horizon_s=request.duration_s or 0, now=now)
    is_decided = decide(request, decision, reason=reason, now=now, profile=profile)
    if is_decided and request.kind == Kind.SET and decision == Decision.ACCEPTED:
        active.arm(request, now=now)

"""A charger's queue as its gateway works it: claim the next command, settle it by the answer, or lose it.

Each step is one conditional UPDATE, committed before anything goes onto the wire.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError
from django.db.models import Case, Exists, F, Q, When

from chargers.capabilities import Place
from chargers.dialects import CLEAR, READ, SET, Dialect, OwnCall, dialect_of, outcome_of_error
from chargers.frames import Error, Result
from chargers.models import Charger, Command, Limit, Transaction
from chargers.ruling import UnableToSend, ruling
from chargers.schedule import Schedule
from chargers.settlement import Kind, Outcome, State, settle, take_late_answer

logger = logging.getLogger(__name__)

MOST_SENDS = 2
# Reading may not hold up what is to be set: a charger that knows no schedules is often silent.
READ_PATIENCE = timedelta(seconds=10)
# A charger that holds a limit which was reported as refused goes back first.
_FIRST = Case(When(kind=Kind.RESTORE, then=0), default=1)


@dataclass(frozen=True)
class Sending:
    """A command that is ours to send: its frame's parts, and how long the charger has."""

    command_id: int
    message_id: str
    action: str
    payload: dict[str, Any]
    deadline_at: datetime


def claim_next(charger_id: int, *, epoch: int, now: datetime) -> Sending | None:
    """Claim the charger's next command for the connection `epoch`; None when there is nothing to send.

    A command that needs no call any more is settled on the way.
    """
    while True:
        due = Command.objects.filter(
            charger_id=charger_id, state=State.QUEUED, not_before__lte=now, deadline_at__gt=now
        )
        command = due.select_related("outlet__evse", "charger", "transaction").order_by(_FIRST, "id").first()
        if command is None:
            return None
        try:
            call = _call_for(command, now=now)
        except (UnableToSend, ValueError) as reason:
            logger.error("%s for charger %s can't be sent: %s", command, command.charger, reason)
            call = None
        if call is None:
            settle(command, state=State.ANSWERED, outcome=Outcome.REJECTED, now=now, expected=(State.QUEUED,))
            continue
        message_id = str(uuid4())
        (action, payload), renew_at = call
        owner = Charger.objects.filter(pk=charger_id, epoch=epoch)
        try:
            claimed = Command.objects.filter(Exists(owner), pk=command.pk, state=State.QUEUED).update(
                state=State.SENT,
                message_id=message_id,
                epoch=epoch,
                sends=F("sends") + 1,
                sent_at=now,
                sent_payload={"action": action, "payload": payload},
                renew_at=renew_at,
            )
        except IntegrityError:
            # Another one is unanswered; the next look comes after its end.
            return None
        if claimed:
            until = command.deadline_at
            if command.kind == Kind.READ_SCHEDULE:
                until = min(until, now + READ_PATIENCE)
            return Sending(command.pk, message_id, action, payload, until)
        if not owner.exists():
            return None


def take_answer(charger_id: int, answer: Result | Error, *, now: datetime) -> bool:
    """Settle the command that an answer belongs to; False when it belongs to none of this charger."""
    command = (
        Command.objects.filter(charger_id=charger_id, message_id=answer.message_id)
        .select_related("outlet__evse", "charger", "transaction")
        .first()
    )
    if command is None:
        return False
    action = (command.sent_payload or {}).get("action", "")
    dialect = _dialect(command)
    if isinstance(answer, Error):
        outcome = outcome_of_error(answer.code)
        told: Any = {"error": answer.code, "description": answer.description}
        logger.warning(
            "charger %s: %s failed: %s %s", command.charger, action, answer.code, answer.description
        )
    else:
        outcome, told = dialect.outcome_of(action, answer.payload), answer.payload
    schedule = None
    if command.kind == Kind.READ_SCHEDULE and outcome == Outcome.ACCEPTED:
        schedule = dialect.schedule_of(
            place_of(command), told, asked_duration_s=command.duration_s or 0, received_at=now
        )
        outcome = Outcome.ACCEPTED if schedule else Outcome.UNKNOWN
    _learn(command, action, outcome)
    is_settled = settle(
        command,
        state=State.ANSWERED,
        outcome=outcome,
        answer=told,
        told=schedule.to_document() if schedule else None,
        now=now,
        expected=(State.SENT,),
    )
    if not is_settled:
        command.refresh_from_db()
        take_late_answer(command, outcome=outcome, answer=told, now=now)
    return True


def lose(sending: Sending, *, now: datetime) -> None:
    """Queue a command again whose socket was lost in the middle, once, or give it up."""
    for command in Command.objects.filter(
        pk=sending.command_id, state=State.SENT, message_id=sending.message_id
    ):
        _lose(command, now=now)


def lose_all(charger_id: int, *, epoch: int, now: datetime) -> None:
    """Do the same for what an earlier connection left behind."""
    for command in Command.objects.filter(charger_id=charger_id, state=State.SENT).exclude(epoch=epoch):
        _lose(command, now=now)


def give_up(sending: Sending, *, now: datetime) -> None:
    """Settle a command that the charger did not answer in its time."""
    command = Command.objects.filter(pk=sending.command_id, message_id=sending.message_id).first()
    if command is not None:
        settle(command, state=State.NO_ANSWER, now=now, expected=(State.SENT,))


def due_chargers(gateway_id: str, *, now: datetime) -> list[int]:
    """Return the chargers of a gateway for which a command waits to be sent."""
    due = Command.objects.filter(
        state=State.QUEUED, not_before__lte=now, deadline_at__gt=now, charger__gateway_id=gateway_id
    )
    return list(due.order_by().values_list("charger_id", flat=True).distinct())


def next_due_at(charger_id: int, *, now: datetime) -> datetime | None:
    """Return when the charger's next delayed command may go."""
    later = Command.objects.filter(charger_id=charger_id, state=State.QUEUED, not_before__gt=now)
    return later.order_by("not_before").values_list("not_before", flat=True).first()


def place_of(command: Command) -> Place:
    """Return the outlet that a command is for."""
    outlet = command.outlet
    connectors = outlet.evse.document.get("connectors") or [{}]
    return Place(
        number=outlet.number,
        voltage_v=outlet.voltage_v,
        phases=outlet.phases,
        max_current_a=outlet.max_current_a,
        is_dc=connectors[0].get("power_type") == "DC",
        capabilities=_dialect(command).capabilities_of(command.charger.configuration),
    )


def _call_for(command: Command, *, now: datetime) -> tuple[OwnCall, datetime | None] | None:
    """Return the call that does what the command wants, and when to renew what it sends.

    None when there is nothing left to do.
    """
    place, dialect = place_of(command), _dialect(command)
    if command.kind == Kind.READ_SCHEDULE:
        return dialect.read_call(place, command.duration_s or 0), None
    charging = command.transaction
    if command.kind == Kind.RESTORE:
        # Another transaction may have begun since.
        charging = Transaction.objects.filter(outlet_id=command.outlet_id, stopped_at=None).first()
    elif charging is None or charging.stopped_at:
        return None
    limits = Limit.objects.filter(transaction=charging).exclude(source=command.source)
    schedules = [Schedule.from_document(limit.schedule) for limit in limits.order_by("accepted_at", "id")]
    if command.schedule:
        wanted = Schedule.from_document(command.schedule)
        if wanted.ends_at is not None and wanted.ends_at <= now:
            return None
        schedules.append(wanted)
    sent = ruling(place, schedules, now=now) if charging and schedules else None
    if charging is None or sent is None:
        return dialect.clear_call(place), None
    transaction_id = charging.ocpp_id or charging.pk
    return dialect.limit_call(place, sent.schedule, transaction_id=transaction_id), sent.renew_at


def _dialect(command: Command) -> Dialect:
    return dialect_of(command.charger.ocpp_version)


def _learn(command: Command, action: str, outcome: str) -> None:
    """Remember what the charger shows that it can or can't do."""
    charger = Charger.objects.filter(pk=command.charger_id)
    if action == READ and outcome in (Outcome.NOT_SUPPORTED, Outcome.ACCEPTED):
        charger.update(reads_schedules=outcome == Outcome.ACCEPTED)
    elif action == SET and outcome in (Outcome.NOT_SUPPORTED, Outcome.ACCEPTED):
        charger.update(takes_profiles=outcome == Outcome.ACCEPTED)
    elif action == CLEAR and outcome == Outcome.NOT_SUPPORTED:
        charger.filter(Q(takes_profiles=None)).update(takes_profiles=False)


def _lose(command: Command, *, now: datetime) -> None:
    if command.sends >= MOST_SENDS or command.deadline_at <= now:
        settle(command, state=State.NO_ANSWER, now=now, expected=(State.SENT,))
        return
    Command.objects.filter(pk=command.pk, state=State.SENT, message_id=command.message_id).update(
        state=State.QUEUED, message_id=None
    )

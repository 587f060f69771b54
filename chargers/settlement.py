"""How commands end: answered, unanswered or cancelled; each exactly once, and told by one signal."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from chargers.models import Command, Limit, Outlet, Transaction
from chargers.owing import restore, restore_again, waiting_restores

logger = logging.getLogger(__name__)

State = Command.State
Kind = Command.Kind
Outcome = Command.Outcome

OPEN = (State.QUEUED, State.SENT)
LIMITING = (Kind.SET_LIMIT, Kind.CLEAR_LIMIT)
MOST_PER_SWEEP = 500

# Sent inside the transaction that settles a command: `command` as it is now, `now`.
command_settled = Signal()


def settle(
    command: Command,
    *,
    state: str,
    now: datetime,
    outcome: str = "",
    answer: Any = None,
    told: dict[str, Any] | None = None,
    expected: Sequence[str] = OPEN,
) -> bool:
    """Move a command to its last state and tell everybody; False when it was settled before.

    `outcome`, `answer` (as it came) and `told` (a schedule's document) go with ANSWERED; `expected` are the
    states that the command may leave. When the charger may hold a limit that is now said to be refused, its
    outlet is marked to be restored.
    """
    with transaction.atomic():
        mine = Command.objects.filter(pk=command.pk, state__in=expected, message_id=command.message_id)
        written = mine.update(state=state, settled_at=now, outcome=outcome, answer=answer, told_schedule=told)
        if not written:
            return False
        command.refresh_from_db()
        is_in_doubt = state != State.ANSWERED and command.sends and command.kind in LIMITING
        if is_in_doubt or (state == State.NO_ANSWER and command.kind == Kind.RESTORE):
            Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=True)
        if state == State.ANSWERED:
            _take_effect(command, now=now)
        command_settled.send(sender=Command, command=command, now=now)
    return True


def give_up_overdue(now: datetime) -> int:
    """End the commands whose time ran out unanswered; return how many. Any number of processes may do it."""
    overdue = Command.objects.filter(state__in=OPEN, deadline_at__lte=now).order_by("id")[:MOST_PER_SWEEP]
    return sum(settle(command, state=State.NO_ANSWER, now=now) for command in list(overdue))


def cancel_queued(transaction_: Transaction, *, now: datetime) -> None:
    """Cancel what waits to be sent for a transaction that is over."""
    for command in Command.objects.filter(transaction=transaction_, state=State.QUEUED):
        settle(command, state=State.CANCELLED, now=now, expected=(State.QUEUED,))


def take_late_answer(command: Command, *, outcome: str, answer: Any, now: datetime) -> None:
    """Make good what a charger did after its silence was taken for a refusal; nothing is decided twice."""
    if command.state != State.NO_ANSWER or command.kind not in (*LIMITING, Kind.RESTORE):
        return
    with transaction.atomic():
        Command.objects.filter(pk=command.pk).update(answer=answer)
        if outcome == Outcome.ACCEPTED and command.kind != Kind.RESTORE:
            logger.warning(
                "charger %s answered %s too late; its limits are restored", command.charger, command
            )
            Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=True)
            restore(command.outlet, now=now)
        elif command.kind == Kind.RESTORE and outcome == Outcome.REJECTED:
            # It does not hold what it should: the next sign of life brings another try.
            return
        else:
            Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=False)
            if command.kind == Kind.RESTORE:
                _renew_later(command, now=now)


def _take_effect(command: Command, *, now: datetime) -> None:
    """Remember which limits the charger holds after its answer."""
    accepted = command.outcome == Outcome.ACCEPTED
    if command.kind == Kind.READ_SCHEDULE:
        if command.outlet.needs_restore:
            # It speaks again.
            restore(command.outlet, now=now)
    elif command.kind == Kind.RESTORE and command.outcome == Outcome.REJECTED:
        if not restore_again(command.outlet, now=now):
            Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=True)
            logger.error("charger %s does not go back to its limits: %s", command.charger, command.answer)
    elif command.kind == Kind.RESTORE:
        Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=False)
        _renew_later(command, now=now)
    elif command.kind == Kind.SET_LIMIT and accepted:
        _take_limit(command, now=now)
        _renew_later(command, now=now)
    elif command.kind == Kind.CLEAR_LIMIT and command.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        Limit.objects.filter(transaction=command.transaction, source=command.source).delete()
        Outlet.objects.filter(pk=command.outlet_id).update(needs_restore=False)
        _renew_later(command, now=now)


def _renew_later(command: Command, *, now: datetime) -> None:
    """Owe the charger the rest of a schedule that was too long for it, before the window that it has ends."""
    for older in waiting_restores(command.outlet).filter(not_before__gt=now):
        settle(older, state=State.CANCELLED, now=now, expected=(State.QUEUED,))
    if command.renew_at is not None:
        restore(command.outlet, now=now, after_s=max((command.renew_at - now).total_seconds(), 0))


def _take_limit(command: Command, *, now: datetime) -> None:
    # The outlet before its transaction, as when a transaction starts: no two wait for each other.
    outlet = Outlet.objects.select_for_update(no_key=True).filter(pk=command.outlet_id)
    list(outlet)
    running = Transaction.objects.filter(commands=command, stopped_at=None)
    is_running = running.update(was_limited=True)
    # Its profile replaced whatever the charger held in the outlet's one slot.
    outlet.update(needs_restore=not is_running)
    if not is_running:
        # It was over before the answer came: the profile must not stay for the next driver.
        restore(command.outlet, now=now)
        return
    Limit.objects.update_or_create(
        transaction=running.get(),
        source=command.source,
        defaults={"schedule": command.schedule, "accepted_at": now},
    )

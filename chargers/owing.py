"""Puts commands into a charger's queue; a gateway is told when they are committed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chargers.bus import bus_from_settings
from chargers.models import Command, Outlet, Transaction

RESTORE_PATIENCE = timedelta(seconds=30)
# A charger that refuses to go back is asked again, a few times; then at its next sign of life.
RESTORE_AGAIN_S = 4
MOST_RESTORES = 3


def owe(
    kind: str, *, outlet: Outlet, now: datetime, not_before: datetime | None = None, **fields: Any
) -> Command:
    """Queue a command for the charger of an outlet; it is sent after the open transaction commits."""
    command = Command.objects.create(
        charger_id=outlet.charger_id,
        outlet=outlet,
        kind=kind,
        created_at=now,
        not_before=not_before or now,
        **fields,
    )
    wake(outlet.charger_id)
    return command


def restore(outlet: Outlet, *, now: datetime, after_s: float = 0) -> Command:
    """Owe the charger the limits that it accepted, or none, after it may have taken one that we gave up."""
    due_at = now + timedelta(seconds=after_s)
    waiting = waiting_restores(outlet).first()
    if waiting is not None:
        sooner = Command.objects.filter(pk=waiting.pk, state=Command.State.QUEUED, not_before__gt=due_at)
        if sooner.update(not_before=due_at, deadline_at=due_at + RESTORE_PATIENCE):
            wake(outlet.charger_id)
        return waiting
    return owe(
        Command.Kind.RESTORE,
        outlet=outlet,
        transaction=Transaction.objects.filter(outlet=outlet, stopped_at=None).first(),
        deadline_at=due_at + RESTORE_PATIENCE,
        not_before=due_at,
        now=now,
    )


def waiting_restores(outlet: Outlet) -> QuerySet[Command]:
    """Return the restores of an outlet that were not sent yet; at most one."""
    return Command.objects.filter(outlet=outlet, kind=Command.Kind.RESTORE, state=Command.State.QUEUED)


def restore_again(outlet: Outlet, *, now: datetime) -> bool:
    """Owe a restore that was refused once more, in a few seconds; False after so many in a minute."""
    recent = Command.objects.filter(
        outlet=outlet, kind=Command.Kind.RESTORE, created_at__gt=now - timedelta(minutes=1)
    )
    if recent.count() >= MOST_RESTORES:
        return False
    restore(outlet, now=now, after_s=RESTORE_AGAIN_S)
    return True


def wake(charger_id: int) -> None:
    """Wake the charger's gateway once the open transaction commits, or at once."""
    transaction.on_commit(partial(bus_from_settings().wake, charger_id), robust=True)

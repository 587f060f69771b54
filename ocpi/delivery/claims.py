"""Who may deliver a duty now: claims are conditional updates, and late writers are fenced off.

A claim is a lease of 15 s, longer than one HTTP call of 8 s. A deliverer that dies leaves a row whose lease
runs out and that the next one claims.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ocpi.delivery.models import Duty, Push, Result

D = TypeVar("D", bound=Duty)

LEASE = timedelta(seconds=15)
OWNER = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
OPEN_STATES = (Duty.State.PENDING, Duty.State.LEASED)
# Per partner, so that one who hangs can't hold every deliverer.
MOST_IN_FLIGHT: dict[type[Duty], int] = {Result: 4, Push: 2}


def due(now: datetime) -> Q:
    """Return the condition of a duty whose time has come, or whose deliverer's lease ran out."""
    return Q(state=Duty.State.PENDING, next_at__lte=now) | Q(state=Duty.State.LEASED, lease_until__lt=now)


def open_results_of_push() -> Exists:
    """Return the condition, on a Push, that a result with its partner and subject is not settled yet."""
    results = Result.objects.filter(
        partner=OuterRef("partner"), subject=OuterRef("subject"), state__in=OPEN_STATES
    )
    return Exists(results)


def ready(model: type[D], *, now: datetime) -> QuerySet[D]:
    """Return the duties that may be tried now: they are due.

    A push with a subject also waits for open results on it, and for another push on it that is out.
    """
    rows = model._default_manager.filter(due(now))
    if model is Push:
        others_out = in_flight(Push, now=now).filter(partner=OuterRef("partner"), subject=OuterRef("subject"))
        rows = rows.filter(Q(subject="") | ~open_results_of_push() & ~Exists(others_out))
    return rows


def in_flight(model: type[D], *, now: datetime) -> QuerySet[D]:
    """Return the duties that somebody delivers at this moment."""
    return model._default_manager.filter(state=Duty.State.LEASED, lease_until__gte=now)


@transaction.atomic
def claim(model: type[D], pk: Any, *, now: datetime) -> D | None:
    """Take the duty for one try and return it, with its partner; None when it isn't due or somebody else's.

    At most MOST_IN_FLIGHT duties of a partner are out at once. Each claim raises `fence`, so that only the
    newest claim can settle the row.
    """
    # The lock on the partner is for what is out beside it; the UPDATE alone decides whose the duty is.
    rows = ready(model, now=now).select_related("partner").select_for_update(of=("partner",), no_key=True)
    row = rows.filter(pk=pk).first()
    if row is None:
        return None
    siblings = in_flight(model, now=now).filter(partner=row.partner_id)
    if siblings.count() >= MOST_IN_FLIGHT[model]:
        return None
    lease_until = now + LEASE
    claimed = (
        ready(model, now=now)
        .filter(pk=pk, fence=row.fence)
        .update(
            state=Duty.State.LEASED,
            lease_owner=OWNER,
            lease_until=lease_until,
            # While it is out, the next due time is free for a newer version of the object.
            next_at=lease_until,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            crashes=F("crashes") + 1,
            tried_at=now,
        )
    )
    if not claimed:
        return None
    row.fence += 1
    row.attempts += 1
    row.crashes += 1
    return row


def renew(row: Duty, *, now: datetime) -> bool:
    """Begin a new lease before one more HTTP call; False when the claim was lost meanwhile."""
    return bool(_mine(row).update(lease_until=now + LEASE))


def settle(row: Duty, *, only: Q | None = None, **values: Any) -> bool:
    """End the claim with `values`; False when it was lost meanwhile or the row does not fulfil `only`."""
    rows = _mine(row) if only is None else _mine(row).filter(only)
    return bool(rows.update(lease_owner="", lease_until=None, **values))


def release_all_of_others(*, now: datetime) -> int:
    """End the leases of processes before this one; only where nobody else delivers from this database."""
    released = 0
    for model in (Result, Push):
        leased = model.objects.filter(state=Duty.State.LEASED).exclude(lease_owner=OWNER)
        released += leased.update(state=Duty.State.PENDING, next_at=now, lease_owner="", lease_until=None)
    return released


def _mine(row: Duty) -> QuerySet[Any]:
    return type(row)._default_manager.filter(pk=row.pk, fence=row.fence, state=Duty.State.LEASED)

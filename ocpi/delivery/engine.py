"""Delivers one duty: claim, HTTP outside any transaction, settle. Safe to call twice and by many at once."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import db
from django.db.models import Min
from django.db.models.functions import Coalesce

from ocpi.delivery import claims, retry
from ocpi.delivery.models import Duty, Push, Result
from ocpi.delivery.pushes import try_push
from ocpi.delivery.results import try_result
from ocpi.delivery.retry import Outcome, Verdict
from ocpi.delivery.tries import Clock

logger = logging.getLogger(__name__)

MOST_CRASHES = 5
CRASHED = Outcome(Verdict.RETRY, "crashed", "Our own code failed; the log says how.")
# One stretch of work for a partner, so that the others get their turn.
LONGEST_DRAIN = 50


@dataclass(frozen=True)
class Handled:
    """A try that was made: for whom, and what came of it."""

    partner_id: int
    outcome: Outcome


def deliver_result(result_id: UUID | str, now: datetime) -> Handled | None:
    """Try a result once, if it is due and nobody else does; else return None."""
    return _deliver(Result, result_id, now)


def deliver_push(push_id: int | str, now: datetime) -> Handled | None:
    """Try a push once, if it is due, free and not behind an open result; else return None."""
    return _deliver(Push, push_id, now)


def partners_with_work(model: type[Result] | type[Push], *, now: datetime) -> list[int]:
    """Return the partners who have duties that are ready, the longest waiting first."""
    waiting = claims.ready(model, now=now).order_by().values("partner").annotate(oldest=Min("next_at"))
    return [row["partner"] for row in waiting.order_by("oldest")]


def drain(
    model: type[Result] | type[Push], partner_id: int, *, now: datetime, stop: threading.Event
) -> tuple[int, bool]:
    """Try the partner's duties that are ready at `now`, one after the other; stop when no answer comes.

    What was not tried for longest comes first, and none is begun once `stop` is set. Return how many were
    tried, and whether the partner was silent.
    """
    clock = Clock(now)
    tried = 0
    while tried < LONGEST_DRAIN and not stop.is_set():
        ready = claims.ready(model, now=now).filter(partner=partner_id)
        pk = ready.order_by(Coalesce("tried_at", "created_at"), "pk").values_list("pk", flat=True).first()
        handled = None if pk is None else _deliver(model, pk, clock.now())
        if handled is None:
            return tried, False
        tried += 1
        if handled.outcome.is_silence:
            return tried, True
    return tried, False


def _deliver(model: type[Any], pk: Any, now: datetime) -> Handled | None:
    if db.connection.in_atomic_block:
        raise RuntimeError("A duty is delivered outside any transaction: it makes HTTP calls.")
    clock = Clock(now)
    row = claims.claim(model, pk, now=now)
    if row is None:
        return None
    if row.crashes > MOST_CRASHES:
        return _park(row, now=now)
    try:
        outcome = try_result(row, clock=clock) if model is Result else try_push(row, clock=clock)
    except db.Error:
        # The lease runs out and the next deliverer takes it.
        raise
    except Exception:
        # Whatever a kind's own code raises must not stop the other duties.
        logger.exception("delivery of %s:%s failed", row._meta.model_name, row.pk)
        outcome = _postpone(row, now=clock.now())
    return Handled(row.partner_id, outcome) if outcome else None


def _park(row: Result | Push, *, now: datetime) -> Handled:
    """Give up a duty that ended its deliverer again and again."""
    reason = f"Given up: its delivery crashed {MOST_CRASHES} times."
    claims.settle(row, state=Duty.State.DEAD, settled_at=now, last_outcome="crashed", last_error=reason)
    return Handled(row.partner_id, Outcome(Verdict.DEAD, "crashed", reason))


def _postpone(row: Result | Push, *, now: datetime) -> Outcome:
    """Let a duty on which our own code failed wait; `crashes` keeps counting."""
    wait_s = retry.push_wait_s(attempts=row.attempts, outcome=CRASHED, draw=1.0)
    claims.settle(
        row,
        state=Duty.State.PENDING,
        next_at=now + timedelta(seconds=wait_s),
        last_outcome=CRASHED.label,
        last_error=CRASHED.detail,
    )
    return CRASHED

"""Finds what is due without any broker: duties, their expired leases, and the sweeps of other modules.

Any number of sweepers may run; claims decide who delivers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django import db
from django.db.models import F
from django.utils import timezone

from ocpi.delivery import engine
from ocpi.delivery.hands import Hands
from ocpi.delivery.models import Duty, Push, Result
from ocpi.delivery.stopping import told_to_stop

logger = logging.getLogger(__name__)

Sweep = Callable[[datetime], int]
# A partner that calls us is back; its failing pushes are tried again, but not in a rush.
WOKEN_WAIT = timedelta(seconds=10)
STOP_LIMIT_S = 3.0

_sweeps: dict[str, Sweep] = {}


def register_sweep(name: str, sweep: Sweep) -> None:
    """Run `sweep(now)` in each round; it returns how many rows it moved. Its errors stop nobody else."""
    _sweeps[name] = sweep


def sweep_once(now: datetime) -> int:
    """Run every sweep and deliver what is due, in this thread; return how many rows were moved or tried."""
    moved = _sweep(now)
    for model in (Result, Push):
        for partner_id in engine.partners_with_work(model, now=now):
            tried, _ = engine.drain(model, partner_id, now=now, stop=told_to_stop)
            moved += tried
    return moved


def run(stop: threading.Event, every_s: float = 1.0) -> None:
    """Sweep every `every_s` seconds until `stop` is set; a database that fails is tried again."""
    hands = Hands(stop)
    is_well = True
    while not stop.is_set():
        is_well = _guarded(lambda: _round(hands, timezone.now()), was_well=is_well)
        stop.wait(every_s)
    hands.join(timeout_s=STOP_LIMIT_S)
    db.connections.close_all()


def _guarded(work: Callable[[], object], *, was_well: bool) -> bool:
    """Run `work` and return whether the database took part; a change of that is told in one line."""
    db.close_old_connections()
    try:
        work()
    except db.Error as error:
        if was_well:
            logger.warning("The sweeper waits for its database: %s", str(error).strip().partition("\n")[0])
        db.connections.close_all()
        return False
    if not was_well:
        logger.info("The sweeper reaches its database again.")
    return True


def _round(hands: Hands, now: datetime) -> None:
    _sweep(now)
    for model in (Result, Push):
        hands.serve(model, engine.partners_with_work(model, now=now))


def _sweep(now: datetime) -> int:
    moved = _wake_pushes(now)
    for name, sweep in _sweeps.items():
        try:
            moved += sweep(now)
        except Exception:
            # One module's trouble must not stop the deliveries of the others.
            logger.exception("the sweep %s failed", name)
    return moved


def _wake_pushes(now: datetime) -> int:
    """Make failing pushes due to whom the partner has called us since: it is back."""
    failing = Push.objects.filter(
        state=Duty.State.PENDING, attempts__gt=0, next_at__gt=now, tried_at__lt=now - WOKEN_WAIT
    )
    # Read first: an UPDATE takes SQLite's one write lock even when it finds nothing.
    woken = list(failing.filter(partner__last_seen_at__gt=F("tried_at")).values_list("pk", flat=True)[:500])
    return failing.filter(pk__in=woken).update(next_at=now) if woken else 0

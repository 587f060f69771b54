"""The Celery tasks: hints that carry an id only; running one twice, late or never does no harm."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from ocpi.delivery import claims, engine, hints, kinds
from ocpi.delivery.models import Attempt, Push, Result
from ocpi.delivery.stopping import told_to_stop

KEPT = timedelta(days=30)


@shared_task(name=hints.DELIVER_RESULT, expires=hints.LIFE_S, ignore_result=True)
def deliver_result(*, duty_id: str, **_: Any) -> None:
    """Try a result, then what else is ready for the same partner, until the process is told to stop."""
    if told_to_stop.is_set():
        return
    handled = engine.deliver_result(duty_id, timezone.now())
    if handled and handled.outcome.is_delivered:
        engine.drain(Result, handled.partner_id, now=timezone.now(), stop=told_to_stop)


@shared_task(name=hints.DELIVER_PUSH, expires=hints.LIFE_S, ignore_result=True)
def deliver_push(*, duty_id: str, **_: Any) -> None:
    """Try a push, then what else is ready for the same partner, until the process is told to stop."""
    if told_to_stop.is_set():
        return
    handled = engine.deliver_push(duty_id, timezone.now())
    if handled and handled.outcome.is_delivered:
        engine.drain(Push, handled.partner_id, now=timezone.now(), stop=told_to_stop)


@shared_task(name="delivery.prune", ignore_result=True)
def prune(**_: Any) -> None:
    """Delete attempts, and duties that were settled, more than 30 days ago."""
    delete_older_than(timezone.now() - KEPT)


def delete_older_than(moment: datetime) -> int:
    """Delete attempts, and duties settled, before `moment`; return how many rows went.

    An object whose push is gone is sent whole when it changes again. Pushes that their module needs stay.
    """
    is_old = Q(settled_at__lt=moment) & ~Q(state__in=claims.OPEN_STATES)
    is_needed = Q(pk__in=[])
    for kind, keys in kinds.needed_keys().items():
        is_needed |= Q(kind=kind, object_key__in=keys)
    attempts, _ = Attempt.objects.filter(at__lt=moment).delete()
    results, _ = Result.objects.filter(is_old).delete()
    pushes, _ = Push.objects.filter(is_old).exclude(is_needed).delete()
    return attempts + results + pushes

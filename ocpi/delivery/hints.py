"""Tells Celery that a duty may be due. Only a hint: the sweeper finds every duty without it."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

DELIVER_RESULT = "delivery.deliver_result"
DELIVER_PUSH = "delivery.deliver_push"
LIFE_S = 30
PAUSE_S = 5.0
# Without Redis the broker is this process's memory: hints that no worker in it takes would pile up.
worker_is_here = threading.Event()


class Publisher:
    """Publishes hints and, after a failure, leaves the broker alone for a few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def publish(self, task: str, duty_id: str) -> None:
        """Send the hint, unless nobody could get it or a failure was a moment ago; never raises."""
        if not (settings.REDIS_URL or worker_is_here.is_set()) or time.monotonic() < self._paused_until:
            return
        try:
            current_app.send_task(task, kwargs={"duty_id": duty_id}, expires=LIFE_S, ignore_result=True)
        except Exception as error:  # noqa: BLE001 - the duty is committed; no broker trouble may reach its author
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        with self._lock:
            is_first = time.monotonic() >= self._paused_until
            self._paused_until = time.monotonic() + PAUSE_S
        if is_first:
            logger.warning(
                "The broker takes no hints (%s: %s); the sweeper delivers instead.",
                type(error).__name__,
                error,
            )


publisher = Publisher()


def hint(task: str, duty_id: Any) -> None:
    """Publish `task` with the duty's id once the open transaction commits, or at once; never raises."""
    transaction.on_commit(partial(publisher.publish, task, str(duty_id)), robust=True)

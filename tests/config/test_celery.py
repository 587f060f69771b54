"""The Celery application: what its workers do at their end."""

from __future__ import annotations

from celery.signals import worker_shutting_down

from config import celery
from ocpi.delivery.stopping import told_to_stop


def test_stops_delivering_when_a_worker_is_told_to_stop() -> None:
    try:
        worker_shutting_down.send(sender=celery.app, sig="SIGTERM", how="Warm", exitcode=0)

        assert told_to_stop.is_set()
    finally:
        told_to_stop.clear()

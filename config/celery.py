"""The Celery application: the queues, every periodic task in one table, and how a worker ends."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_shutting_down

from config.environment import read_settings
from ocpi.delivery.stopping import told_to_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("node")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

QUEUES = ["results", "push", "plan"]
# What is pulled and when: ocpi/partners/pull_times.py.
PULL_LOOK_EVERY_S = 5.0

app.conf.beat_schedule = {
    "prune deliveries": {"task": "delivery.prune", "schedule": 3600.0},
    "prune commands": {"task": "chargers.prune", "schedule": 3600.0},
    "prune requests": {"task": "chargingprofiles.prune", "schedule": 3600.0},
    "pull what partners changed": {
        "task": "partners.pull_due",
        "schedule": PULL_LOOK_EVERY_S,
        # A worker that comes back finds one look, not all that it missed.
        "options": {"expires": PULL_LOOK_EVERY_S},
    },
}


@app.on_configure.connect
def say_what_is_wrong(**_: Any) -> None:
    """End worker or beat with one sentence when a setting is wrong."""
    read_settings()


@beat_init.connect
def catch_up(**_: Any) -> None:
    """Let what was missed while the node was down be asked for."""
    app.send_task("partners.catch_up")


@worker_shutting_down.connect
def stop_delivering(**_: Any) -> None:
    """Let each thread of a worker that is told to stop end its duty and begin no other."""
    told_to_stop.set()

"""The Celery application: the queues, and every periodic task in one table."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("node")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

QUEUES = ["results", "push", "plan"]

app.conf.beat_schedule = {
    "prune what is old": {"task": "delivery.prune", "schedule": 3600.0},
    "pull what partners changed": {"task": "partners.pull_all", "schedule": 3600.0},
}

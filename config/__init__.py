"""The wiring of the node: settings, addresses, processes. Imports anything; nothing imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

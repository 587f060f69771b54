"""Chargers over OCPP."""

from django.apps import AppConfig


class ChargersConfig(AppConfig):
    """Chargers over OCPP."""

    name = "chargers"
    label = "chargers"
    default_auto_field = "django.db.models.BigAutoField"

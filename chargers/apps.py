"""Chargers over OCPP."""

from django.apps import AppConfig


class ChargersConfig(AppConfig):
    """Chargers over OCPP."""

    name = "chargers"
    label = "chargers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what this app does when time passes, with or without a gateway."""
        from chargers import ownership, settlement
        from ocpi.delivery.sweeper import register_sweep

        register_sweep("overdue commands", settlement.give_up_overdue)
        register_sweep("dead gateways", ownership.sweep)

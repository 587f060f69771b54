"""The wiring of the node."""

from django.apps import AppConfig


class NodeConfig(AppConfig):
    """The wiring of the node."""

    name = "config"
    label = "config"
    default_auto_field = "django.db.models.BigAutoField"

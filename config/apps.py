"""The wiring of the node."""

import sys

from django.apps import AppConfig

from config.checks import log_unsafe_settings

# Servers without a web part; `config/wsgi.py` warns for those with one.
SERVERS = {"gateway", "sweep"}


class NodeConfig(AppConfig):
    """The wiring of the node."""

    name = "config"
    label = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Warn at the start of a server; other commands keep to their own words."""
        if SERVERS.intersection(sys.argv[1:2]):
            log_unsafe_settings()

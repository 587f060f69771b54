"""OCPI Locations, both sides."""

from django.apps import AppConfig


class LocationsConfig(AppConfig):
    """OCPI Locations, both sides."""

    name = "locations"
    label = "locations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what we push and pull."""
        from locations import outgoing, pull

        outgoing.register()
        pull.register()

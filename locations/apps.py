"""OCPI Locations, both sides."""

from django.apps import AppConfig


class LocationsConfig(AppConfig):
    """OCPI Locations, both sides."""

    name = "locations"
    label = "locations"
    default_auto_field = "django.db.models.BigAutoField"

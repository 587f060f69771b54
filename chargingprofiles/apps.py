"""OCPI ChargingProfiles, both sides."""

from django.apps import AppConfig


class ChargingProfilesConfig(AppConfig):
    """OCPI ChargingProfiles, both sides."""

    name = "chargingprofiles"
    label = "chargingprofiles"
    default_auto_field = "django.db.models.BigAutoField"

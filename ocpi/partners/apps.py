"""Who we speak OCPI with."""

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    """Who we speak OCPI with."""

    name = "ocpi.partners"
    label = "partners"
    default_auto_field = "django.db.models.BigAutoField"

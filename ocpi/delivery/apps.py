"""What we owe to partners, and its delivery."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """What we owe to partners, and its delivery."""

    name = "ocpi.delivery"
    label = "delivery"
    default_auto_field = "django.db.models.BigAutoField"

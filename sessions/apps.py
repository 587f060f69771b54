"""OCPI Sessions, both sides."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """OCPI Sessions, both sides."""

    name = "sessions"
    label = "charging_sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what we push, pull and sweep."""
        from sessions import outgoing, pull

        outgoing.register()
        pull.register()

"""OCPI ChargingProfiles, both sides."""

from django.apps import AppConfig


class ChargingProfilesConfig(AppConfig):
    """OCPI ChargingProfiles, both sides."""

    name = "chargingprofiles"
    label = "chargingprofiles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what this app does when commands are settled, pushes are due and time passes."""
        from chargers.settlement import command_settled
        from chargingprofiles import active, due, outgoing
        from chargingprofiles.listener import on_command_settled
        from ocpi.delivery.kinds import register_push
        from ocpi.delivery.sweeper import register_sweep

        command_settled.connect(on_command_settled, dispatch_uid="chargingprofiles")
        register_push(active.PUSH_KIND, active.render)
        register_sweep("profile requests", due.sweep)
        register_sweep("issued profile requests", outgoing.sweep)

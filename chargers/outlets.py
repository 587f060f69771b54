"""The state of outlets as partners see it: what the charger told, and UNKNOWN while nobody can tell."""

from __future__ import annotations

from datetime import datetime

from chargers.models import Charger, Outlet, Transaction
from locations.actions import set_evse_status

UNKNOWN = "UNKNOWN"


def report_status(outlet: Outlet, status: str, *, now: datetime) -> None:
    """Take an outlet's state from its charger; `status` is OCPI's EVSE status."""
    if outlet.reported_status != status:
        Outlet.objects.filter(pk=outlet.pk).update(reported_status=status)
    set_evse_status(evse=outlet.evse, status=status, now=now)


def show_again(charger: Charger, *, now: datetime) -> None:
    """Show what the charger told last: a reconnected one tells only what changed meanwhile."""
    for outlet in charger.outlets.select_related("evse"):
        status = outlet.reported_status
        if not status and Transaction.objects.filter(outlet=outlet, stopped_at=None).exists():
            status = "CHARGING"
        if status:
            set_evse_status(evse=outlet.evse, status=status, now=now)


def show_unknown(charger: Charger, *, now: datetime) -> None:
    """Show that nobody knows the state of the charger's outlets."""
    for outlet in charger.outlets.select_related("evse"):
        if outlet.evse.status not in (UNKNOWN, "REMOVED"):
            set_evse_status(evse=outlet.evse, status=UNKNOWN, now=now)

"""The state of outlets as partners see it: what the charger told, and UNKNOWN while nobody can tell."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from chargers.models import Charger, Outlet, Transaction
from locations.actions import set_evse_status

UNKNOWN = "UNKNOWN"
OUT_OF_ORDER = ("INOPERATIVE", "OUTOFORDER")
# All that OCPP 2.x says of an outlet with a car: whether it charges, its transaction tells.
OCCUPIED = "BLOCKED"


def report_status(outlet: Outlet, status: str, *, now: datetime) -> None:
    """Take an outlet's state from its charger; `status` is OCPI's EVSE status."""
    if outlet.reported_status != status:
        Outlet.objects.filter(pk=outlet.pk).update(reported_status=status)
        outlet.reported_status = status
    set_evse_status(evse=outlet.evse, status=outlet.charger.reported_status or _shown(outlet), now=now)


def show_occupied(outlet: Outlet, *, now: datetime) -> None:
    """Show an occupied outlet anew after a transaction began or ended there (OCPP 2.x)."""
    if outlet.reported_status == OCCUPIED and not outlet.charger.reported_status:
        set_evse_status(evse=outlet.evse, status=_shown(outlet), now=now)


def report_charger_status(charger: Charger, status: str, *, now: datetime) -> None:
    """Take the state of the charger as a whole: while it is out of order, so is every outlet."""
    status = status if status in OUT_OF_ORDER else ""
    if charger.reported_status == status:
        return
    Charger.objects.filter(pk=charger.pk).update(reported_status=status)
    for outlet in charger.outlets.select_related("evse"):
        set_evse_status(evse=outlet.evse, status=status or _shown(outlet) or UNKNOWN, now=now)


def show_again(charger: Charger, *, now: datetime) -> None:
    """Show what the charger told last: a reconnected one tells only what changed meanwhile."""
    for outlet in charger.outlets.select_related("evse"):
        status = charger.reported_status or _shown(outlet)
        if not status and _is_charging(outlet):
            status = "CHARGING"
        if status:
            set_evse_status(evse=outlet.evse, status=status, now=now)


def show_unknown(charger: Charger, *, now: datetime) -> None:
    """Show that nobody knows the state of the outlets, unless the charger has connected again meanwhile."""
    with transaction.atomic():
        if not Charger.objects.select_for_update(no_key=True).filter(pk=charger.pk, gateway=None).exists():
            return
        for outlet in charger.outlets.select_related("evse"):
            if outlet.evse.status not in (UNKNOWN, "REMOVED"):
                set_evse_status(evse=outlet.evse, status=UNKNOWN, now=now)


def _shown(outlet: Outlet) -> str:
    """Return the EVSE status that follows from what the charger told of an outlet."""
    is_charging = outlet.reported_status == OCCUPIED and _is_charging(outlet)
    return "CHARGING" if is_charging else outlet.reported_status


def _is_charging(outlet: Outlet) -> bool:
    return Transaction.objects.filter(outlet=outlet, stopped_at=None).exists()

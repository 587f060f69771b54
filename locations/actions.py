"""What changes our own locations: adding them, their EVSEs, and the status that chargers report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from locations.documents import location_key, next_moment
from locations.models import Evse, Location
from locations.objects import EVSE, OWN_LOCATION
from locations.outgoing import owe_evse_status, owe_location
from ocpi.partners.own import Party, party_for
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import fold

CAPABILITIES = ["CHARGING_PROFILE_CAPABLE", "REMOTE_START_STOP_CAPABLE", "RFID_READER"]
POWER_TYPES = {1: "AC_1_PHASE", 2: "AC_2_PHASE", 3: "AC_3_PHASE"}
# What a location says until somebody fills in its address in the admin.
PLACEHOLDER = {
    "publish": True,
    "address": "Not given",
    "city": "Not given",
    "country": "NLD",
    "coordinates": {"latitude": "0.00000", "longitude": "0.00000"},
    "time_zone": "UTC",
}


def find_own_location(party: Party, location_id: str) -> Location | None:
    """Return the location of a party of ours with this OCPI id, or None."""
    return Location.objects.filter(partner=None, key=location_key(*party, location_id)).first()


def find_own_evse(party: Party, location_id: str, evse_uid: str) -> Evse | None:
    """Return the EVSE at a location of a party of ours, or None."""
    return Evse.objects.filter(
        location__partner=None, location__key=location_key(*party, location_id), key=fold(evse_uid)
    ).first()


def add_own_location(
    *,
    location_id: str,
    now: datetime,
    party: Party | None = None,
    details: Mapping[str, Any] | None = None,
) -> Location:
    """Add a location of a party of ours, our CPO by default, and owe it to the partners that may see it.

    `details` are fields of the OCPI Location; what is missing is filled with placeholders.
    Raises InvalidParameters for a wrong field or an id that the party has already.
    """
    country_code, party_id = party or party_for("CPO")
    moment = next_moment(now)
    document = OWN_LOCATION.check(
        {
            "country_code": country_code,
            "party_id": party_id,
            "id": location_id,
            **PLACEHOLDER,
            **(details or {}),
            "last_updated": format_datetime(moment),
        }
    )
    with transaction.atomic():
        location, is_new = Location.objects.get_or_create(
            partner=None,
            key=location_key(country_code, party_id, location_id),
            defaults={
                "country_code": country_code,
                "party_id": party_id,
                "location_id": location_id,
                "document": document,
                "last_updated": moment,
                "created_at": now,
            },
        )
        if not is_new:
            raise InvalidParameters(f"id: there is a location {location_id} already")
        owe_location(location, now=now)
    return location


def change_own_location(*, location: Location, document: Mapping[str, Any], now: datetime) -> None:
    """Replace the fields of a location of ours (all but its ids and EVSEs) and owe it to the partners.

    Raises InvalidParameters for a wrong field.
    """
    with transaction.atomic():
        location.refresh_from_db(from_queryset=Location.objects.select_for_update())
        moment = next_moment(now, after=location.last_updated)
        ids = {name: location.document[name] for name in ("country_code", "party_id", "id")}
        changed = {**document, **ids, "last_updated": format_datetime(moment)}
        changed.pop("evses", None)
        location.document = OWN_LOCATION.check(changed)
        location.last_updated = moment
        location.save(update_fields=["document", "last_updated"])
        owe_location(location, now=now)


def add_own_evse(
    *,
    location: Location,
    uid: str,
    now: datetime,
    phases: int = 3,
    voltage_v: int = 230,
    max_current_a: int = 32,
    connector_id: str = "1",
    details: Mapping[str, Any] | None = None,
) -> Evse:
    """Add an EVSE with one connector to a location of ours and owe the location to the partners.

    voltage_v is line to neutral, max_current_a per phase. `details` are further fields of the OCPI EVSE.
    The status is UNKNOWN until the charger tells it.
    Raises InvalidParameters for a wrong field or a uid that the location has already.
    """
    with transaction.atomic():
        location = Location.objects.select_for_update().get(pk=location.pk)
        moment = next_moment(now, after=location.last_updated)
        connector = {
            "id": connector_id,
            "standard": "IEC_62196_T2",
            "format": "SOCKET",
            "power_type": POWER_TYPES[phases],
            "max_voltage": voltage_v,
            "max_amperage": max_current_a,
            "max_electric_power": phases * voltage_v * max_current_a,
            "last_updated": format_datetime(moment),
        }
        document = EVSE.check(
            {
                "uid": uid,
                "status": "UNKNOWN",
                "capabilities": CAPABILITIES,
                "connectors": [connector],
                **(details or {}),
                "last_updated": format_datetime(moment),
            }
        )
        evse, is_new = Evse.objects.get_or_create(
            location=location,
            key=fold(uid),
            defaults={
                "uid": uid,
                "status": document["status"],
                "document": document,
                "last_updated": moment,
            },
        )
        if not is_new:
            raise InvalidParameters(f"uid: location {location.location_id} has an EVSE {uid} already")
        _touch(location, moment)
        owe_location(location, now=now)
    return evse


def set_evse_status(*, evse: Evse, status: str, now: datetime) -> bool:
    """Change the status of an EVSE of ours and owe it to the partners; False when it was so already.

    REMOVED is for good, whatever the charger says. The EVSE's and its Location's last_updated rise together
    (OCPI 2.2.1 mod_locations, GET list).
    """
    fields = ["status", "document", "last_updated"]
    # Chargers repeat their status all day: looking first spares the lock, on SQLite the only one.
    evse.refresh_from_db(fields=fields)
    if evse.status in (status, "REMOVED"):
        return False
    with transaction.atomic():
        location = Location.objects.select_for_update().get(pk=evse.location_id)
        evse.refresh_from_db(fields=fields)
        if evse.status in (status, "REMOVED"):
            return False
        moment = next_moment(now, after=location.last_updated)
        evse.status = status
        evse.last_updated = moment
        evse.document = {**evse.document, "status": status, "last_updated": format_datetime(moment)}
        evse.save(update_fields=fields)
        _touch(location, moment)
        owe_evse_status(evse, location, now=now)
    return True


def _touch(location: Location, moment: datetime) -> None:
    """Move the location's last_updated to `moment`."""
    location.last_updated = moment
    location.document = {**location.document, "last_updated": format_datetime(moment)}
    location.save(update_fields=["document", "last_updated"])

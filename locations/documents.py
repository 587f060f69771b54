"""A stored Location or EVSE as an OCPI document; how ids compare; how time moves on objects of ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from locations.models import Evse, Location
from ocpi.protocol.errors import UnknownLocation
from ocpi.protocol.types import check_case, fold


def location_key(country_code: str, party_id: str, location_id: str) -> str:
    """Return the key that finds a location whatever the case of its ids."""
    return fold(f"{country_code}*{party_id}*{location_id}")


def whole_location(location: Location, evses: Iterable[Evse]) -> dict[str, Any]:
    """Return the OCPI Location with its EVSEs; without `evses` when it has none to list."""
    listed = [evse.document for evse in evses if evse.is_listed]
    return {**location.document, "evses": listed} if listed else location.document


def find_connector(evse_document: dict[str, Any], connector_id: str) -> dict[str, Any] | None:
    """Return the EVSE's connector with this id, or None."""
    wanted = fold(connector_id)
    return next((one for one in evse_document["connectors"] if fold(one["id"]) == wanted), None)


def evse_of(location: Location, evse_uid: str) -> Evse:
    """Return the location's EVSE with this uid. Raises UnknownLocation."""
    wanted = fold(evse_uid)
    for evse in location.evses.all():
        if evse.key == wanted:
            check_case("evse_uid", evse_uid, evse.uid)
            return evse
    raise UnknownLocation(f"There is no EVSE {evse_uid} at location {location.location_id}.")


def connector_of(evse: Evse, connector_id: str) -> dict[str, Any]:
    """Return the EVSE's connector with this id. Raises UnknownLocation."""
    connector = find_connector(evse.document, connector_id)
    if connector is None:
        raise UnknownLocation(f"There is no connector {connector_id} at EVSE {evse.uid}.")
    check_case("connector_id", connector_id, connector["id"])
    return connector


def next_moment(now: datetime, *, after: datetime | None = None) -> datetime:
    """Return `now` in whole milliseconds, or 1 ms after the last change when that is later.

    The `last_updated` of an object of ours so rises with every change, even if the clock steps back.
    """
    moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return moment if after is None else max(moment, after + timedelta(milliseconds=1))

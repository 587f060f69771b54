"""Storing what partners tell us of their locations, EVSEs and connectors.

Spec: OCPI 2.2.1 mod_locations, "Receiver Interface". PUT creates or replaces, PATCH changes what it names;
a change of a child moves its parents' last_updated; what is older than what we have changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from locations.documents import connector_of, evse_of, find_connector, location_key
from locations.models import Evse, Location
from locations.objects import CONNECTOR, EVSE, LOCATION
from locations.updates import Document, Party, check_moment, check_same, is_older, moment_of, read_changes
from ocpi.partners.models import Partner
from ocpi.protocol.errors import InvalidParameters, UnknownLocation
from ocpi.protocol.quirks import Quirk, is_tolerated, refusing, tolerate
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import check_case, fold


def find_received(partner: Partner, party: Party, location_id: str) -> Location:
    """Return the location that the partner told us of. Raises UnknownLocation."""
    location = Location.objects.filter(partner=partner, key=location_key(*party, location_id)).first()
    if location is None:
        raise UnknownLocation(f"There is no location {location_id}.")
    check_case("location_id", location_id, location.location_id)
    return location


def put_location(*, partner: Partner, party: Party, location_id: str, body: Any, now: datetime) -> bool:
    """Create or replace a location with its EVSEs; tell whether it is new.

    It is as new as the newest EVSE or connector in it, since not everybody moves the last_updated of parents.
    An EVSE that the partner leaves out is kept as REMOVED, no longer listed. Raises InvalidParameters.
    """
    document = LOCATION.check(body)
    check_moment(document, now=now)
    check_same(document, country_code=party[0], party_id=party[1], id=location_id)
    evses = document.pop("evses", [])
    newest = document
    if is_tolerated(Quirk.LATE_UPDATES):
        connectors = [one for evse in evses for one in evse["connectors"]]
        newest = max((document, *evses, *connectors), key=moment_of)
    fields = {"document": document, "last_updated": moment_of(newest), "unconfirmed_at": None}
    with transaction.atomic():
        location, is_new = Location.objects.select_for_update().get_or_create(
            partner=partner,
            key=location_key(*party, location_id),
            defaults={
                "country_code": fold(party[0]),
                "party_id": fold(party[1]),
                "location_id": document["id"],
                "created_at": now,
                **fields,
            },
        )
        if not is_new:
            if is_older(newest, location):
                return False
            Location.objects.filter(pk=location.pk).update(**fields)
        _replace_evses(location, evses, document["last_updated"])
    return is_new


def patch_location(*, partner: Partner, party: Party, location_id: str, body: Any, now: datetime) -> None:
    """Change the named fields of a location; EVSEs in it are changed or added, never dropped.

    Raises UnknownLocation, InvalidParameters.
    """
    changes = read_changes(body, country_code=party[0], party_id=party[1], id=location_id)
    evses = changes.pop("evses", None) or []
    with transaction.atomic():
        location = _locked(partner, party, location_id)
        LOCATION.check(changes, partial=True)
        with refusing(()):
            document = LOCATION.check(location.document | changes)
        check_moment(document, now=now)
        if is_older(document, location):
            return
        location.document = document
        location.last_updated = moment_of(document)
        for one in _objects(evses, "evses"):
            evse = location.evses.filter(key=fold(str(one.get("uid")))).first()
            inner = _merged_evse(evse, {"last_updated": document["last_updated"]} | one)
            check_moment(inner, now=now)
            if evse is None or not is_older(inner, evse):
                _write_evse(location, evse, inner)
        location.unconfirmed_at = None
        location.save(update_fields=["document", "last_updated", "unconfirmed_at"])


def put_evse(
    *, partner: Partner, party: Party, location_id: str, evse_uid: str, body: Any, now: datetime
) -> bool:
    """Create or replace an EVSE of a known location; tell whether it is new.

    Raises UnknownLocation, InvalidParameters.
    """
    document = EVSE.check(body)
    check_moment(document, now=now)
    check_same(document, uid=evse_uid)
    with transaction.atomic():
        location = _locked(partner, party, location_id)
        evse = location.evses.filter(key=fold(evse_uid)).first()
        if evse is not None and is_older(document, evse):
            return False
        _write_evse(location, evse, document)
        _bump(location, document)
    return evse is None


def patch_evse(
    *, partner: Partner, party: Party, location_id: str, evse_uid: str, body: Any, now: datetime
) -> None:
    """Change the named fields of an EVSE; connectors in it are changed or added, never dropped.

    Raises UnknownLocation, InvalidParameters.
    """
    changes = read_changes(body, uid=evse_uid)
    with transaction.atomic():
        location = _locked(partner, party, location_id)
        evse = evse_of(location, evse_uid)
        document = _merged_evse(evse, changes)
        check_moment(document, now=now)
        if is_older(document, evse):
            return
        _write_evse(location, evse, document)
        _bump(location, document)


def put_connector(
    *,
    partner: Partner,
    party: Party,
    location_id: str,
    evse_uid: str,
    connector_id: str,
    body: Any,
    now: datetime,
) -> bool:
    """Create or replace a connector of a known EVSE; tell whether it is new.

    Raises UnknownLocation, InvalidParameters.
    """
    document = CONNECTOR.check(body)
    check_moment(document, now=now)
    check_same(document, id=connector_id)
    with transaction.atomic():
        location = _locked(partner, party, location_id)
        evse = evse_of(location, evse_uid)
        stored = find_connector(evse.document, connector_id)
        _write_connector(location, evse, stored, document)
    return stored is None


def patch_connector(
    *,
    partner: Partner,
    party: Party,
    location_id: str,
    evse_uid: str,
    connector_id: str,
    body: Any,
    now: datetime,
) -> None:
    """Change the named fields of a connector. Raises UnknownLocation, InvalidParameters."""
    changes = read_changes(body, id=connector_id)
    with transaction.atomic():
        location = _locked(partner, party, location_id)
        evse = evse_of(location, evse_uid)
        stored = connector_of(evse, connector_id)
        CONNECTOR.check(changes, partial=True)
        with refusing(()):
            document = CONNECTOR.check(stored | changes)
        check_moment(document, now=now)
        _write_connector(location, evse, stored, document)


def _locked(partner: Partner, party: Party, location_id: str) -> Location:
    """Return the location, locked against others that store below it."""
    location = (
        Location.objects.select_for_update()
        .filter(partner=partner, key=location_key(*party, location_id))
        .first()
    )
    if location is None:
        raise UnknownLocation(f"There is no location {location_id}: PUT the whole location first.")
    check_case("location_id", location_id, location.location_id)
    return location


def _objects(items: Any, name: str) -> list[Document]:
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise InvalidParameters(f"{name}: must be a list of objects")
    return items


def _merged_evse(evse: Evse | None, changes: Document) -> Document:
    """Return the EVSE with the changes; connectors by id, those not named stay."""
    if evse is None:
        return EVSE.check(changes)
    EVSE.check({name: value for name, value in changes.items() if name != "connectors"}, partial=True)
    connectors = list(evse.document["connectors"])
    for one in _objects(changes.get("connectors") or [], "connectors"):
        CONNECTOR.check(one, partial=True)
        wanted = fold(str(one.get("id")))
        index = next((n for n, known in enumerate(connectors) if fold(known["id"]) == wanted), None)
        stamped = {"last_updated": changes["last_updated"]} | one
        if index is None:
            connectors.append(stamped)
        else:
            connectors[index] = connectors[index] | stamped | {"id": connectors[index]["id"]}
    # What is stored already was taken with the quirks that were borne then.
    with refusing(()):
        return EVSE.check(evse.document | changes | {"uid": evse.uid, "connectors": connectors})


def _write_evse(location: Location, evse: Evse | None, document: Document) -> None:
    fields = {
        "status": document["status"],
        "document": document,
        "is_listed": True,
        "last_updated": moment_of(document),
    }
    if evse is None:
        uid = document["uid"]
        Evse.objects.create(
            location=location, uid=uid, key=fold(uid), position=location.evses.count(), **fields
        )
    else:
        Evse.objects.filter(pk=evse.pk).update(**fields)


def _write_connector(location: Location, evse: Evse, stored: Document | None, document: Document) -> None:
    """Put the connector into its EVSE, and move the last_updated of EVSE and location."""
    if stored is not None and moment_of(document) < moment_of(stored):
        tolerate(Quirk.LATE_UPDATES, "last_updated: is older than what is stored")
        return
    known = evse.document["connectors"]
    connectors = [document if one is stored else one for one in known]
    if stored is None:
        connectors.append(document)
    moved = max(evse.document, document, key=moment_of)["last_updated"]
    _write_evse(location, evse, evse.document | {"connectors": connectors, "last_updated": moved})
    _bump(location, document)


def _bump(location: Location, child: Document) -> None:
    """Move the location's last_updated to that of a changed child (mod_locations, "PUT Method")."""
    moment = moment_of(child)
    if moment > location.last_updated:
        document = location.document | {"last_updated": format_datetime(moment)}
        Location.objects.filter(pk=location.pk).update(
            document=document, last_updated=moment, unconfirmed_at=None
        )


def _replace_evses(location: Location, documents: list[Document], last_updated: str) -> None:
    """Make the location's listed EVSEs those of the documents, in their order."""
    known = {evse.key: evse for evse in location.evses.all()}
    added: list[Evse] = []
    changed: list[Evse] = []
    for position, document in enumerate(documents):
        evse = known.pop(fold(document["uid"]), None)
        (added if evse is None else changed).append(evse := evse or Evse(location=location))
        evse.uid, evse.key = document["uid"], fold(document["uid"])
        evse.status, evse.document, evse.position = document["status"], document, position
        evse.is_listed, evse.last_updated = True, moment_of(document)
    for evse in known.values():
        if evse.is_listed:
            evse.is_listed, evse.status = False, "REMOVED"
            evse.document = evse.document | {"status": "REMOVED", "last_updated": last_updated}
            evse.last_updated = moment_of(evse.document)
            changed.append(evse)
    Evse.objects.bulk_create(added)
    Evse.objects.bulk_update(changed, ["uid", "status", "document", "position", "is_listed", "last_updated"])

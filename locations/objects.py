"""The OCPI objects of the Locations module, as checkers.

Field tables: OCPI 2.2.1 mod_locations, "Object description" and "Data types".
"""

from __future__ import annotations

import re
from typing import Any

from locations.enums import (
    CAPABILITY,
    CONNECTOR_FORMAT,
    CONNECTOR_TYPE,
    ENERGY_SOURCE_CATEGORY,
    ENVIRONMENTAL_IMPACT_CATEGORY,
    FACILITY,
    PARKING_RESTRICTION,
    PARKING_TYPE,
    POWER_TYPE,
    STATUS,
    TOKEN_TYPE,
)
from ocpi.partners.documents import BUSINESS_DETAILS, IMAGE
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.types import (
    Boolean,
    CiString,
    DateTime,
    Integer,
    ListOf,
    Number,
    Object,
    String,
    Url,
    fold,
    optional,
)

_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_EXACT_DEGREES = re.compile(r"-?[0-9]{1,3}\.[0-9]{5,7}")
_TIME_OF_DAY = re.compile(r"(([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)")
_EXACT_TIME_OF_DAY = re.compile(r"([0-1][0-9]|2[0-3]):[0-5][0-9]")


def _is_on_earth(document: dict[str, Any]) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        text = document.get(name)
        if text is not None and not (_DEGREES.fullmatch(text) and abs(float(text)) <= most):
            raise InvalidParameters(f"{name}: must be decimal degrees like 51.04759, within {most}")


def _is_on_the_clock(document: dict[str, Any]) -> None:
    """Bear 8:00, 08:00:00 and 24:00, which others send for 08:00 and the day's end."""
    for name in ("period_begin", "period_end"):
        complaint = f"{name}: must be a time of day like 08:00"
        if not _TIME_OF_DAY.fullmatch(document[name]):
            raise InvalidParameters(complaint)
        if not _EXACT_TIME_OF_DAY.fullmatch(document[name]):
            tolerate(Quirk.DATE_FORMS, complaint)


def _names_a_token(document: dict[str, Any]) -> None:
    """Spec: mod_locations, PublishTokenType."""
    if not any(document.get(name) for name in ("uid", "visual_number", "group_id")):
        raise InvalidParameters("uid: one of uid, visual_number and group_id is needed")
    if document.get("uid") and not document.get("type"):
        raise InvalidParameters("type: is needed with uid")
    if document.get("visual_number") and not document.get("issuer"):
        raise InvalidParameters("issuer: is needed with visual_number")


def _names_tokens_only_when_private(document: dict[str, Any]) -> None:
    """Spec: mod_locations, Location object, publish_allowed_to."""
    if document.get("publish") and document.get("publish_allowed_to"):
        raise InvalidParameters("publish_allowed_to: only when publish is false")


def _is_written_exactly(document: dict[str, Any]) -> None:
    """Check the forms of coordinates and hours (mod_locations, GeoLocation, Hours and RegularHours)."""
    for name in ("latitude", "longitude"):
        if not _EXACT_DEGREES.fullmatch(document["coordinates"][name]):
            raise InvalidParameters(f"coordinates.{name}: must have five to seven decimals, like 51.04759")
    hours = document.get("opening_times") or {"twentyfourseven": True}
    regular_hours = hours.get("regular_hours") or []
    if hours["twentyfourseven"] == bool(regular_hours):
        raise InvalidParameters("opening_times.regular_hours: needed when not twentyfourseven, and only then")
    for number, one in enumerate(regular_hours):
        for name in ("period_begin", "period_end"):
            if not _EXACT_TIME_OF_DAY.fullmatch(one[name]):
                raise InvalidParameters(
                    f"opening_times.regular_hours[{number}].{name}: must be a time of day like 08:00"
                )


def _once(name: str, id_name: str) -> Any:
    """Return the rule that no two objects in the list `name` have the same id."""

    def rule(document: dict[str, Any]) -> None:
        ids = [fold(one[id_name]) for one in document.get(name) or []]
        if len(ids) != len(set(ids)):
            raise InvalidParameters(f"{name}: {id_name} must differ")

    return rule


DISPLAY_TEXT = Object({"language": String(2), "text": String(512)})
GEO_LOCATION = Object({"latitude": String(10), "longitude": String(11)}, rules=[_is_on_earth])
ADDITIONAL_GEO_LOCATION = Object(
    {**GEO_LOCATION.fields, "name": optional(DISPLAY_TEXT)}, rules=[_is_on_earth]
)
EXCEPTIONAL_PERIOD = Object({"period_begin": DateTime(), "period_end": DateTime()})
REGULAR_HOURS = Object(
    {"weekday": Integer(least=1, most=7), "period_begin": String(5), "period_end": String(5)},
    rules=[_is_on_the_clock],
)
HOURS = Object(
    {
        "twentyfourseven": Boolean(),
        "regular_hours": optional(ListOf(REGULAR_HOURS)),
        "exceptional_openings": optional(ListOf(EXCEPTIONAL_PERIOD)),
        "exceptional_closings": optional(ListOf(EXCEPTIONAL_PERIOD)),
    }
)
ENERGY_SOURCE = Object({"source": ENERGY_SOURCE_CATEGORY, "percentage": Number()})
ENVIRONMENTAL_IMPACT = Object({"category": ENVIRONMENTAL_IMPACT_CATEGORY, "amount": Number()})
ENERGY_MIX = Object(
    {
        "is_green_energy": Boolean(),
        "energy_sources": optional(ListOf(ENERGY_SOURCE)),
        "environ_impact": optional(ListOf(ENVIRONMENTAL_IMPACT)),
        "supplier_name": optional(String(64)),
        "energy_product_name": optional(String(64)),
    }
)
PUBLISH_TOKEN_TYPE = Object(
    {
        "uid": optional(CiString(36)),
        "type": optional(TOKEN_TYPE),
        "visual_number": optional(String(64)),
        "issuer": optional(String(64)),
        "group_id": optional(CiString(36)),
    },
    rules=[_names_a_token],
)
CONNECTOR = Object(
    {
        "id": CiString(36),
        "standard": CONNECTOR_TYPE,
        "format": CONNECTOR_FORMAT,
        "power_type": POWER_TYPE,
        "max_voltage": Integer(least=0),
        "max_amperage": Integer(least=0),
        "max_electric_power": optional(Integer(least=0)),
        "tariff_ids": optional(ListOf(CiString(36))),
        "terms_and_conditions": optional(Url()),
        "last_updated": DateTime(),
    }
)
STATUS_SCHEDULE = Object({"period_begin": DateTime(), "period_end": optional(DateTime()), "status": STATUS})
EVSE = Object(
    {
        "uid": CiString(36),
        "evse_id": optional(CiString(48)),
        "status": STATUS,
        "status_schedule": optional(ListOf(STATUS_SCHEDULE)),
        "capabilities": optional(ListOf(CAPABILITY)),
        "connectors": ListOf(CONNECTOR, least=1),
        "floor_level": optional(String(4)),
        "coordinates": optional(GEO_LOCATION),
        "physical_reference": optional(String(16)),
        "directions": optional(ListOf(DISPLAY_TEXT)),
        "parking_restrictions": optional(ListOf(PARKING_RESTRICTION)),
        "images": optional(ListOf(IMAGE)),
        "last_updated": DateTime(),
    },
    rules=[_once("connectors", "id")],
)
LOCATION = Object(
    {
        "country_code": CiString(2),
        "party_id": CiString(3),
        "id": CiString(36),
        "publish": Boolean(),
        "publish_allowed_to": optional(ListOf(PUBLISH_TOKEN_TYPE)),
        "name": optional(String(255)),
        "address": String(255),
        "city": String(45),
        "postal_code": optional(String(10)),
        "state": optional(String(45)),
        "country": String(3),
        "coordinates": GEO_LOCATION,
        "related_locations": optional(ListOf(ADDITIONAL_GEO_LOCATION)),
        "parking_type": optional(PARKING_TYPE),
        "evses": optional(ListOf(EVSE)),
        "directions": optional(ListOf(DISPLAY_TEXT)),
        "operator": optional(BUSINESS_DETAILS),
        "suboperator": optional(BUSINESS_DETAILS),
        "owner": optional(BUSINESS_DETAILS),
        "facilities": optional(ListOf(FACILITY)),
        "time_zone": String(255),
        "opening_times": optional(HOURS),
        "charging_when_closed": optional(Boolean()),
        "images": optional(ListOf(IMAGE)),
        "energy_mix": optional(ENERGY_MIX),
        "last_updated": DateTime(),
    },
    rules=[_once("evses", "uid")],
)
# Of others we bear what we don't write ourselves.
OWN_LOCATION = Object(
    LOCATION.fields, rules=[*LOCATION.rules, _names_tokens_only_when_private, _is_written_exactly]
)

"""The OCPI objects of the Locations module, as checkers.

Field tables: OCPI 2.2.1 mod_locations, "Object description" and "Data types". Values of lists that only
describe (capabilities, facilities, connector standards, ...) are kept even when we don't know them, so that a
partner with a newer OCPI is not turned away.
"""

from __future__ import annotations

import re
from typing import Any

from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.types import (
    Boolean,
    CiString,
    DateTime,
    Enum,
    Integer,
    ListOf,
    Number,
    Object,
    String,
    Url,
    fold,
    optional,
)

# Long enough for every enum value; not restricted to those of this version.
OPEN_ENUM = String(64)
STATUS = Enum(
    "AVAILABLE",
    "BLOCKED",
    "CHARGING",
    "INOPERATIVE",
    "OUTOFORDER",
    "PLANNED",
    "REMOVED",
    "RESERVED",
    "UNKNOWN",
    fallback="UNKNOWN",
)
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")


def _is_on_earth(document: dict[str, Any]) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        text = document.get(name)
        if text is not None and not (_DEGREES.fullmatch(text) and abs(float(text)) <= most):
            raise InvalidParameters(f"{name}: must be decimal degrees like 51.04759, within {most}")


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


def _once(name: str, id_name: str) -> Any:
    """Return the rule that no two objects in the list `name` have the same id."""

    def rule(document: dict[str, Any]) -> None:
        ids = [fold(one[id_name]) for one in document.get(name) or []]
        if len(ids) != len(set(ids)):
            raise InvalidParameters(f"{name}: {id_name} must differ")

    return rule


GEO_LOCATION = Object({"latitude": String(20), "longitude": String(20)}, rules=[_is_on_earth])
DISPLAY_TEXT = Object({"language": String(2), "text": String(512)})
IMAGE = Object(
    {
        "url": Url(),
        "thumbnail": optional(Url()),
        "category": OPEN_ENUM,
        "type": CiString(4),
        "width": optional(Integer()),
        "height": optional(Integer()),
    }
)
BUSINESS_DETAILS = Object({"name": String(100), "website": optional(Url()), "logo": optional(IMAGE)})
EXCEPTIONAL_PERIOD = Object({"period_begin": DateTime(), "period_end": DateTime()})
HOURS = Object(
    {
        "twentyfourseven": Boolean(),
        "regular_hours": optional(
            ListOf(Object({"weekday": Integer(), "period_begin": String(5), "period_end": String(5)}))
        ),
        "exceptional_openings": optional(ListOf(EXCEPTIONAL_PERIOD)),
        "exceptional_closings": optional(ListOf(EXCEPTIONAL_PERIOD)),
    }
)
ENERGY_MIX = Object(
    {
        "is_green_energy": Boolean(),
        "energy_sources": optional(ListOf(Object({"source": OPEN_ENUM, "percentage": Number()}))),
        "environ_impact": optional(ListOf(Object({"category": OPEN_ENUM, "amount": Number()}))),
        "supplier_name": optional(String(64)),
        "energy_product_name": optional(String(64)),
    }
)
PUBLISH_TOKEN_TYPE = Object(
    {
        "uid": optional(CiString(36)),
        "type": optional(OPEN_ENUM),
        "visual_number": optional(String(64)),
        "issuer": optional(String(64)),
        "group_id": optional(CiString(36)),
    },
    rules=[_names_a_token],
)
CONNECTOR = Object(
    {
        "id": CiString(36),
        "standard": OPEN_ENUM,
        "format": Enum("SOCKET", "CABLE"),
        "power_type": Enum("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"),
        "max_voltage": Integer(least=0),
        "max_amperage": Integer(least=0),
        "max_electric_power": optional(Integer(least=0)),
        "tariff_ids": optional(ListOf(CiString(36))),
        "terms_and_conditions": optional(Url()),
        "last_updated": DateTime(),
    }
)
EVSE = Object(
    {
        "uid": CiString(36),
        "evse_id": optional(CiString(48)),
        "status": STATUS,
        "status_schedule": optional(
            ListOf(Object({"period_begin": DateTime(), "period_end": optional(DateTime()), "status": STATUS}))
        ),
        "capabilities": optional(ListOf(OPEN_ENUM)),
        "connectors": ListOf(CONNECTOR, least=1),
        "floor_level": optional(String(4)),
        "coordinates": optional(GEO_LOCATION),
        "physical_reference": optional(String(16)),
        "directions": optional(ListOf(DISPLAY_TEXT)),
        "parking_restrictions": optional(ListOf(OPEN_ENUM)),
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
        "related_locations": optional(
            ListOf(
                Object(
                    {"latitude": String(20), "longitude": String(20), "name": optional(DISPLAY_TEXT)},
                    rules=[_is_on_earth],
                )
            )
        ),
        "parking_type": optional(OPEN_ENUM),
        "evses": optional(ListOf(EVSE)),
        "directions": optional(ListOf(DISPLAY_TEXT)),
        "operator": optional(BUSINESS_DETAILS),
        "suboperator": optional(BUSINESS_DETAILS),
        "owner": optional(BUSINESS_DETAILS),
        "facilities": optional(ListOf(OPEN_ENUM)),
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
OWN_LOCATION = Object(LOCATION.fields, rules=[*LOCATION.rules, _names_tokens_only_when_private])

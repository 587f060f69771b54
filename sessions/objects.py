"""The OCPI objects of the Sessions module, as checkers.

Field tables: OCPI 2.2.1 mod_sessions, "Object description"; mod_cdrs for CdrToken, ChargingPeriod and Price.
"""

from __future__ import annotations

from ocpi.protocol.types import Boolean, CiString, DateTime, Enum, ListOf, Number, Object, String, optional

TOKEN_TYPE = Enum("AD_HOC_USER", "APP_USER", "OTHER", "RFID", fallback="OTHER")
CDR_TOKEN = Object(
    {
        "country_code": CiString(2),
        "party_id": CiString(3),
        "uid": CiString(36),
        "type": TOKEN_TYPE,
        "contract_id": CiString(36),
    }
)
CDR_DIMENSION_TYPE = Enum(
    "CURRENT",
    "ENERGY",
    "ENERGY_EXPORT",
    "ENERGY_IMPORT",
    "MAX_CURRENT",
    "MAX_POWER",
    "MIN_CURRENT",
    "MIN_POWER",
    "PARKING_TIME",
    "POWER",
    "RESERVATION_TIME",
    "STATE_OF_CHARGE",
    "TIME",
    open=True,
)
CDR_DIMENSION = Object({"type": CDR_DIMENSION_TYPE, "volume": Number()})
CHARGING_PERIOD = Object(
    {
        "start_date_time": DateTime(),
        "dimensions": ListOf(CDR_DIMENSION, least=1),
        "tariff_id": optional(CiString(36)),
    }
)
PRICE = Object({"excl_vat": Number(), "incl_vat": optional(Number())})
SESSION = Object(
    {
        "country_code": CiString(2),
        "party_id": CiString(3),
        "id": CiString(36),
        "start_date_time": DateTime(),
        "end_date_time": optional(DateTime()),
        "kwh": Number(),
        "cdr_token": CDR_TOKEN,
        "auth_method": Enum("AUTH_REQUEST", "COMMAND", "WHITELIST"),
        "authorization_reference": optional(CiString(36)),
        "location_id": CiString(36),
        "evse_uid": CiString(36),
        "connector_id": CiString(36),
        "meter_id": optional(String(255)),
        "currency": String(3),
        "charging_periods": optional(ListOf(CHARGING_PERIOD)),
        "total_cost": optional(PRICE),
        "status": Enum(
            "ACTIVE",
            "COMPLETED",
            "INVALID",
            "PENDING",
            "RESERVATION",
            # OCPI: mod_sessions, "Reservation" says RESERVED where the enum has RESERVATION.
            aliases={"RESERVED": "RESERVATION"},
        ),
        "last_updated": DateTime(),
    }
)
CHARGING_PREFERENCES = Object(
    {
        "profile_type": Enum("CHEAP", "FAST", "GREEN", "REGULAR"),
        "departure_time": optional(DateTime()),
        "energy_need": optional(Number(least=0)),
        "discharge_allowed": optional(Boolean()),
    }
)

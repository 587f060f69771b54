"""Ready-made rows for tests; each takes what matters and fills the rest."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from chargers.models import Charger, Gateway, Outlet, Transaction
from locations.models import Evse, Location
from ocpi.partners.models import Endpoint, Grant, InboundToken, Partner, PartnerRole
from ocpi.partners.secrets import digest, encrypt
from sessions.models import Session

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)

SCSP_ENDPOINTS = [
    ("credentials", "SENDER"),
    ("locations", "RECEIVER"),
    ("sessions", "RECEIVER"),
    ("chargingprofiles", "SENDER"),
]
CPO_ENDPOINTS = [
    ("credentials", "SENDER"),
    ("locations", "SENDER"),
    ("sessions", "SENDER"),
    ("chargingprofiles", "RECEIVER"),
]


def iso(moment: datetime) -> str:
    """Write a moment the way OCPI does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_partner(
    *,
    name: str = "",
    url: str = "http://127.0.0.1:9",
    token: str = "",
    role: str = "SCSP",
    country_code: str = "DE",
    party_id: str = "",
    may_steer: bool = False,
    endpoints: list[tuple[str, str]] | None = None,
    **fields: Any,
) -> Partner:
    """Make a registered partner with endpoints below `url`; `token` (default token-N) opens our doors."""
    number = next(_numbers)
    partner = Partner.objects.create(
        name=name or f"Partner {number}",
        status=Partner.Status.REGISTERED,
        versions_url=f"{url}/versions",
        version="2.2.1",
        outbound_token_encrypted=encrypt(f"outbound-{number}"),
        created_at=NOW,
        registered_at=NOW,
        **fields,
    )
    PartnerRole.objects.create(
        partner=partner,
        role=role,
        country_code=country_code,
        party_id=party_id or f"P{number % 100:02d}",
        business_details={"name": partner.name},
    )
    wanted = endpoints if endpoints is not None else (CPO_ENDPOINTS if role == "CPO" else SCSP_ENDPOINTS)
    for identifier, interface in wanted:
        Endpoint.objects.create(
            partner=partner,
            identifier=identifier,
            role=interface,
            url=f"{url}/2.2.1/{interface.lower()}/{identifier}",
        )
    InboundToken.objects.create(
        partner=partner,
        kind=InboundToken.Kind.CREDENTIALS,
        digest=digest(token or f"token-{number}"),
        created_at=NOW,
    )
    if may_steer:
        Grant.objects.create(partner=partner, location_id="", created_at=NOW)
    return partner


def location_document(location_id: str = "LOC1", **fields: Any) -> dict[str, Any]:
    """Return an OCPI Location without EVSEs."""
    return {
        "country_code": "NL",
        "party_id": "NOD",
        "id": location_id,
        "publish": True,
        "address": "Kade 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.09083", "longitude": "5.12222"},
        "time_zone": "Europe/Amsterdam",
        "last_updated": iso(NOW),
        **fields,
    }


def connector_document(**fields: Any) -> dict[str, Any]:
    """Return an OCPI Connector: 3 phases, 230 V, 32 A."""
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "last_updated": iso(NOW),
        **fields,
    }


def evse_document(uid: str = "EVSE1", **fields: Any) -> dict[str, Any]:
    """Return an OCPI EVSE that takes charging profiles."""
    return {
        "uid": uid,
        "status": "AVAILABLE",
        "capabilities": ["CHARGING_PROFILE_CAPABLE"],
        "connectors": [connector_document()],
        "last_updated": iso(NOW),
        **fields,
    }


def make_location(
    *,
    location_id: str = "LOC1",
    partner: Partner | None = None,
    evses: int = 1,
    party: tuple[str, str] = ("NL", "NOD"),
) -> Location:
    """Make a location, ours by default, with EVSE1 … EVSEn."""
    document = location_document(location_id, country_code=party[0], party_id=party[1])
    location = Location.objects.create(
        partner=partner,
        country_code=document["country_code"],
        party_id=document["party_id"],
        location_id=location_id,
        key=f"{party[0]}*{party[1]}*{location_id.upper()}",
        document=document,
        last_updated=NOW,
        created_at=NOW,
    )
    for number in range(1, evses + 1):
        uid = f"{location_id}-EVSE{number}"
        Evse.objects.create(
            location=location,
            uid=uid,
            key=uid.upper(),
            status="AVAILABLE",
            document=evse_document(uid),
            last_updated=NOW,
        )
    return location


def session_document(session_id: str = "S1", **fields: Any) -> dict[str, Any]:
    """Return an OCPI Session that is active at LOC1-EVSE1."""
    return {
        "country_code": "NL",
        "party_id": "NOD",
        "id": session_id,
        "start_date_time": iso(NOW),
        "kwh": 0.0,
        "cdr_token": {
            "country_code": "NL",
            "party_id": "NOD",
            "uid": "TAG1",
            "type": "RFID",
            "contract_id": "TAG1",
        },
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "LOC1-EVSE1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": iso(NOW),
        **fields,
    }


def make_session(
    *,
    session_id: str = "",
    partner: Partner | None = None,
    token_party: tuple[str, str] = ("NL", "NOD"),
    **fields: Any,
) -> Session:
    """Make a session, ours by default."""
    session_id = session_id or f"S{next(_numbers)}"
    document = session_document(session_id, **fields)
    document["cdr_token"] |= {"country_code": token_party[0], "party_id": token_party[1]}
    return Session.objects.create(
        partner=partner,
        country_code=document["country_code"],
        party_id=document["party_id"],
        session_id=session_id,
        key=session_id.upper(),
        status=document["status"],
        location_id=document["location_id"].upper(),
        evse_uid=document["evse_uid"],
        token_country_code=token_party[0],
        token_party_id=token_party[1],
        started_at=NOW,
        document=document,
        last_updated=NOW,
        created_at=NOW,
    )


def make_charger(
    *,
    identity: str = "",
    location: Location | None = None,
    connected_at: datetime | None = None,
    **fields: Any,
) -> Charger:
    """Make a charger with an outlet per EVSE of its location; connected when `connected_at` says so."""
    location = location or make_location()
    gateway = None
    if connected_at:
        gateway, _ = Gateway.objects.update_or_create(
            id="gateway-1", defaults={"started_at": connected_at, "heartbeat_at": connected_at}
        )
    charger = Charger.objects.create(
        identity=identity or f"CHARGER{next(_numbers)}",
        location=location,
        created_at=NOW,
        gateway=gateway,
        connected_at=connected_at,
        last_seen_at=connected_at,
        epoch=1 if connected_at else 0,
        ocpp_version="1.6",
        **fields,
    )
    for number, evse in enumerate(location.evses.all(), start=1):
        Outlet.objects.create(charger=charger, number=number, evse=evse)
    return charger


def make_transaction(
    *, session: Session | None = None, charger: Charger | None = None, started_at: datetime | None = None
) -> Transaction:
    """Make an open transaction on a connected charger's first outlet, with its session."""
    charger = charger or make_charger(connected_at=NOW)
    outlet = charger.outlets.all()[0]
    session = session or make_session(location_id=charger.location.location_id, evse_uid=outlet.evse.uid)
    started_at = started_at or NOW - timedelta(minutes=5)
    return Transaction.objects.create(
        outlet=outlet,
        session=session,
        start_key=f"start-{next(_numbers)}",
        id_token="TAG1",
        started_at=started_at,
        meter_start_wh=1000,
        meter_last_wh=1000,
    )

"""What changes our own sessions: start, energy, end; each change is owed to the partners entitled to it."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction

from locations.documents import next_moment
from locations.models import Evse
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import fold
from sessions.models import Session
from sessions.outgoing import owe_session
from sessions.periods import close_period

# How long energy may wait for company before it is pushed; the sweep adds up to a second.
ENERGY_WAITS_S = 3
PERIOD_S = 3600


def start_session(
    *,
    session_id: str,
    evse: Evse,
    connector_id: str,
    id_token: str,
    started_at: datetime,
    now: datetime,
    token_type: str = "RFID",
    token_party: tuple[str, str] | None = None,
    contract_id: str = "",
    auth_method: str = "WHITELIST",
    status: str = "ACTIVE",
) -> Session:
    """Begin a session of ours at an EVSE of ours and push it at once.

    id_token goes out exactly as the charger sent it; without one (a PENDING session) as #NA. token_party is
    (country_code, party_id) of the token's issuer, when not known the party of ours whose EVSE and session it
    is; contract_id then is id_token.
    """
    moment = next_moment(now)
    party = (evse.location.country_code, evse.location.party_id)
    country_code, party_id = token_party or party
    uid = id_token or "#NA"
    document = {
        "country_code": party[0],
        "party_id": party[1],
        "id": session_id,
        "start_date_time": format_datetime(started_at),
        "kwh": 0.0,
        "cdr_token": {
            "country_code": country_code,
            "party_id": party_id,
            "uid": uid,
            "type": token_type,
            "contract_id": contract_id or uid,
        },
        "auth_method": auth_method,
        "location_id": evse.location.location_id,
        "evse_uid": evse.uid,
        "connector_id": connector_id,
        "currency": "EUR",
        "status": status,
        "last_updated": format_datetime(moment),
    }
    with transaction.atomic():
        session = Session.objects.create(
            country_code=party[0],
            party_id=party[1],
            session_id=session_id,
            key=fold(session_id),
            status=status,
            location_id=fold(evse.location.location_id),
            evse_uid=evse.uid,
            token_country_code=fold(country_code),
            token_party_id=fold(party_id),
            started_at=started_at,
            period_started_at=started_at,
            document=document,
            last_updated=moment,
            created_at=now,
        )
        owe_session(session, now=now)
    return session


def activate(*, session: Session, id_token: str, started_at: datetime, now: datetime) -> bool:
    """Make a PENDING session ACTIVE with the token that was authorised; False when it is not PENDING.

    start_date_time becomes the moment of activation (OCPI 2.2.1 mod_sessions, Session object).
    """
    with transaction.atomic():
        _lock(session)
        if session.status != Session.Status.PENDING:
            return False
        token = {**session.document["cdr_token"], "uid": id_token, "contract_id": id_token}
        session.status = Session.Status.ACTIVE
        session.started_at = session.period_started_at = started_at
        _save(session, now, cdr_token=token, start_date_time=format_datetime(started_at))
        owe_session(session, now=now)
    return True


def update_energy(*, session: Session, kwh: Decimal, at: datetime, now: datetime) -> bool:
    """Take over the energy delivered so far; pushed within 5 s, together with what else changes until then.

    An hour of charging closes a charging period. False when the session is over or nothing changed.
    """
    with transaction.atomic():
        _lock(session)
        volume = _kwh(kwh)
        if session.status in Session.OVER or volume == session.document["kwh"]:
            return False
        changes: dict[str, Any] = {"kwh": volume}
        started_at = session.period_started_at or session.started_at
        if (at - started_at).total_seconds() >= PERIOD_S:
            changes["charging_periods"] = close_period(session.document, started_at, at, Decimal(str(volume)))
            session.period_started_at = at
        _save(session, now, **changes)
        owe_session(session, now=now, after_s=ENERGY_WAITS_S)
    return True


def end_session(
    *, session: Session, kwh: Decimal, ended_at: datetime, now: datetime, status: str = "COMPLETED"
) -> bool:
    """End a session of ours and push it at once; False when it was over already (COMPLETED is final)."""
    with transaction.atomic():
        _lock(session)
        if session.status in Session.OVER:
            return False
        volume = _kwh(kwh)
        started_at = session.period_started_at or session.started_at
        session.status = status
        session.ended_at = ended_at
        session.period_started_at = None
        _save(
            session,
            now,
            kwh=volume,
            end_date_time=format_datetime(ended_at),
            charging_periods=close_period(session.document, started_at, ended_at, Decimal(str(volume))),
        )
        owe_session(session, now=now)
    return True


def _kwh(kwh: Decimal) -> float:
    """Return the energy as OCPI writes numbers: at most 4 decimals."""
    return float(kwh.quantize(Decimal("0.0001"), ROUND_HALF_UP))


def _lock(session: Session) -> None:
    """Lock the row and bring the object up to date with it."""
    session.refresh_from_db(from_queryset=Session.objects.select_for_update())


def _save(session: Session, now: datetime, **changes: Any) -> None:
    """Write the changed fields of the document, with the columns that mirror them."""
    session.last_updated = next_moment(now, after=session.last_updated)
    session.document = {
        **session.document,
        **changes,
        "status": session.status,
        "last_updated": format_datetime(session.last_updated),
    }
    session.save(
        update_fields=[
            "status",
            "started_at",
            "ended_at",
            "period_started_at",
            "document",
            "last_updated",
        ]
    )

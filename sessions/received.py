"""Storing what partners tell us of their sessions.

Spec: OCPI 2.2.1 mod_sessions, "Receiver Interface". PUT replaces the whole, PATCH changes what it names and
appends charging periods; what is older than what we have changes nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from locations.updates import Document, Party, check_moment, check_same, is_older, moment_of, read_changes
from ocpi.partners.models import Partner
from ocpi.protocol.errors import UnknownObject
from ocpi.protocol.times import parse_datetime
from ocpi.protocol.types import check_case, fold
from sessions.listeners import tell_listeners
from sessions.models import Session
from sessions.objects import SESSION

logger = logging.getLogger(__name__)


def find_received(partner: Partner, party: Party, session_id: str) -> Session:
    """Return the session that the partner told us of. Raises UnknownObject."""
    return _one(Session.objects.all(), partner, party, session_id)


def put_session(*, partner: Partner, party: Party, session_id: str, body: Any, now: datetime) -> bool:
    """Create or replace a session; tell whether it is new. Raises InvalidParameters."""
    document = SESSION.check(body)
    check_moment(document, now=now)
    check_same(document, country_code=party[0], party_id=party[1], id=session_id)
    columns = _columns(document)
    with transaction.atomic():
        session, is_new = Session.objects.select_for_update().get_or_create(
            partner=partner,
            country_code=fold(party[0]),
            party_id=fold(party[1]),
            key=fold(session_id),
            defaults={"session_id": document["id"], "created_at": now, **columns},
        )
        if not is_new:
            if is_older(document, session):
                return False
            _update(session, columns)
        _tell(session, now)
    return is_new


def patch_session(*, partner: Partner, party: Party, session_id: str, body: Any, now: datetime) -> None:
    """Change the named fields of a session; null clears an optional one, charging periods are appended.

    Raises UnknownObject (the partner then PUTs the whole), InvalidParameters.
    """
    changes = SESSION.check(
        read_changes(body, country_code=party[0], party_id=party[1], id=session_id), partial=True
    )
    check_moment(changes, now=now)
    with transaction.atomic():
        session = _one(Session.objects.select_for_update(), partner, party, session_id)
        if is_older(changes, session):
            return
        _update(session, _columns(_merged(session.document, changes)))
        _tell(session, now)


def _one(sessions: Any, partner: Partner, party: Party, session_id: str) -> Session:
    session = sessions.filter(
        partner=partner, country_code=fold(party[0]), party_id=fold(party[1]), key=fold(session_id)
    ).first()
    if session is None:
        raise UnknownObject(f"There is no session {session_id}: PUT it first.")
    check_case("session_id", session_id, session.session_id)
    return session


def _merged(stored: Document, changes: Document) -> Document:
    """Return the session with the changes; periods that we have already are not added again."""
    known = list(stored.get("charging_periods") or [])
    added = [period for period in changes.get("charging_periods") or [] if period not in known]
    merged = {name: value for name, value in {**stored, **changes}.items() if value is not None}
    merged.pop("charging_periods", None)
    if known or added:
        merged["charging_periods"] = known + added
    return merged


def _columns(document: Document) -> dict[str, Any]:
    """Return the columns that mirror the document."""
    token = document["cdr_token"]
    ended = document.get("end_date_time")
    return {
        "status": document["status"],
        "location_id": fold(document["location_id"]),
        "evse_uid": document["evse_uid"],
        "token_country_code": fold(token["country_code"]),
        "token_party_id": fold(token["party_id"]),
        "started_at": parse_datetime(document["start_date_time"]),
        "ended_at": parse_datetime(ended) if ended else None,
        "document": document,
        "last_updated": moment_of(document),
        "unconfirmed_at": None,
    }


def _update(session: Session, columns: dict[str, Any]) -> None:
    if session.status == Session.Status.COMPLETED and session.document != columns["document"]:
        # OCPI: mod_sessions says that COMPLETED is final; late costs and energy come all the same.
        logger.info("Session %s changed after it was COMPLETED.", session)
    for name, value in columns.items():
        setattr(session, name, value)
    Session.objects.filter(pk=session.pk).update(**columns)


def _tell(session: Session, now: datetime) -> None:
    transaction.on_commit(partial(tell_listeners, session, now), robust=True)

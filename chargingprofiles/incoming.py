"""What CPOs tell us as SCSP: results of our requests, and active profiles of the sessions we steer.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "Sender Interface".
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from chargingprofiles.models import ActiveProfile, IssuedRequest, Kind
from chargingprofiles.objects import (
    ACTIVE_CHARGING_PROFILE,
    RESULT,
    RESULT_WITH_PROFILE,
    as_object,
    unwrapped,
)
from ocpi.partners.models import Partner
from ocpi.protocol.errors import UnknownObject
from ocpi.protocol.types import fold
from sessions.models import Session


def settle(*, partner: Partner, request_id: uuid.UUID, document: Any, now: datetime) -> bool:
    """Take the result of a request of ours; False when one was in already, which then stands.

    A result after its time is kept and marked late. Raises UnknownObject for a request that was never made
    to this partner, InvalidParameters for what is no result.
    """
    request = IssuedRequest.objects.filter(pk=request_id, partner=partner).first()
    if request is None:
        raise UnknownObject("There is no request that this could be the result of.")
    checker = RESULT_WITH_PROFILE if request.kind == Kind.GET else RESULT
    answer = checker.check(as_object(unwrapped(document)))
    profile = answer.get("profile") if request.kind == Kind.GET else None
    with transaction.atomic():
        open_request = IssuedRequest.objects.filter(pk=request.pk, result="")
        settled = open_request.update(
            state=IssuedRequest.State.SETTLED, result=answer["result"], profile=profile, settled_at=now
        )
        if not settled:
            return False
        # Compared in the database: the deadline may have been stored since the request was read.
        IssuedRequest.objects.filter(Q(deadline_at__lt=now), pk=request.pk).update(is_late=True)
        if profile is not None:
            _store(request.session, profile, now=now)
    return True


def store_active_profile(
    *, partner: Partner, session_id: str, party: tuple[str, str] | None, document: Any, now: datetime
) -> ActiveProfile:
    """Store the active profile that a CPO tells of a session of its own.

    `party` is the CPO's party that speaks, where the request names it: ids are unique per party only. A
    platform may name any of its own; who speaks through a hub speaks of their own sessions only. Raises
    UnknownObject for a session that this partner never told us of, InvalidParameters for a bad body.
    """
    sessions = Session.objects.filter(partner=partner, key=fold(session_id)).order_by("-last_updated")
    speaker = {"country_code": party[0], "party_id": party[1]} if party else {}
    session = sessions.filter(**speaker).first()
    if session is None and partner.roles.filter(**speaker).exists():
        session = sessions.first()
    if session is None:
        raise UnknownObject(f"There is no session {session_id}.")
    return _store(session, ACTIVE_CHARGING_PROFILE.check(as_object(document)), now=now)


def _store(session: Session, document: dict[str, Any], *, now: datetime) -> ActiveProfile:
    return ActiveProfile.objects.update_or_create(
        session=session, defaults={"document": document, "reported_at": now}
    )[0]

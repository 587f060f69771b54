"""What the driver wishes of a charging session of ours."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from locations.actions import find_own_evse
from ocpi.partners.models import Partner
from ocpi.partners.own import Party
from ocpi.protocol.errors import UnknownObject
from ocpi.protocol.types import fold
from sessions.models import Session
from sessions.objects import CHARGING_PREFERENCES
from sessions.visibility import visible_to

# Charging as fast as can be, or as always, needs no further facts.
NEEDS_NOTHING = ["FAST", "REGULAR"]


def set_preferences(*, partner: Partner, session_id: str, body: Any, party: Party | None = None) -> str:
    """Keep the driver's ChargingPreferences and return the ChargingPreferencesResponse.

    Only ACCEPTED keeps them. Raises InvalidParameters; UnknownObject for a session that the partner may not
    see, or of another than the `party` of ours that is asked, and for an EVSE that is not
    CHARGING_PREFERENCES_CAPABLE.
    Spec: OCPI 2.2.1 mod_sessions, "PUT Method" of the Sender and "ChargingPreferencesResponse enum".
    """
    preferences = CHARGING_PREFERENCES.check(body)
    with transaction.atomic():
        session = visible_to(partner, party).select_for_update().filter(key=fold(session_id)).first()
        if session is None:
            raise UnknownObject(f"There is no session {session_id}.")
        evse = find_own_evse(session.party, session.location_id, session.evse_uid)
        if evse is None or "CHARGING_PREFERENCES_CAPABLE" not in evse.document.get("capabilities", []):
            raise UnknownObject("The EVSE of this session does not take charging preferences.")
        if session.status in Session.OVER:
            return "NOT_POSSIBLE"
        if preferences["profile_type"] not in NEEDS_NOTHING:
            if "departure_time" not in preferences:
                return "DEPARTURE_REQUIRED"
            if "energy_need" not in preferences:
                return "ENERGY_NEED_REQUIRED"
        Session.objects.filter(pk=session.pk).update(preferences={"discharge_allowed": False, **preferences})
    return "ACCEPTED"

"""The OCPI objects of ChargingProfiles that reach us, and how each is checked.

OCPI 2.2.1 mod_charging_profiles.asciidoc, "Object description" and "Data types".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargers.schedule import ProfileError, Schedule, from_charging_profile, trimmed
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import DateTime, Enum, Integer, ListOf, Number, Object, Url, optional

CHARGING_PROFILE_PERIOD = Object({"start_period": Integer(), "limit": Number()})
# The rules beyond types (order, first period, negative limits) live in chargers.schedule.
CHARGING_PROFILE = Object(
    {
        "start_date_time": optional(DateTime()),
        "duration": optional(Integer(least=0)),
        "charging_rate_unit": Enum("W", "A"),
        "min_charging_rate": optional(Number()),
        "charging_profile_period": ListOf(CHARGING_PROFILE_PERIOD, least=1),
    }
)
SET_CHARGING_PROFILE = Object({"charging_profile": CHARGING_PROFILE, "response_url": Url()})
ACTIVE_CHARGING_PROFILE = Object(
    {
        "start_date_time": DateTime(),
        # A charger may have nothing to list: what others tell us is taken with no periods, too.
        "charging_profile": Object(
            {
                "start_date_time": optional(DateTime()),
                "duration": optional(Integer(least=0)),
                "charging_rate_unit": Enum("W", "A"),
                "min_charging_rate": optional(Number()),
                "charging_profile_period": optional(ListOf(CHARGING_PROFILE_PERIOD)),
            }
        ),
    }
)
_RESULT = Enum("ACCEPTED", "REJECTED", "UNKNOWN")
RESULT = Object({"result": _RESULT})
RESULT_WITH_PROFILE = Object({"result": _RESULT, "profile": optional(ACTIVE_CHARGING_PROFILE)})


def as_object(document: Any) -> dict[str, Any]:
    """Return the body when it is a JSON object.

    Raises InvalidParameters for anything else.
    """
    if not isinstance(document, dict):
        raise InvalidParameters("The body must be a JSON object.")
    return document


def schedule_of(profile: dict[str, Any], *, relative_to: datetime) -> Schedule:
    """Return the schedule that a checked ChargingProfile means.

    A profile without start_date_time counts from `relative_to`, the start of charging. Raises
    InvalidParameters with the field named.
    """
    try:
        return from_charging_profile(profile, relative_to=relative_to)
    except ProfileError as error:
        raise InvalidParameters(f"charging_profile.{error}") from error


def is_over(schedule: Schedule, *, now: datetime) -> bool:
    """Tell whether nothing of the schedule is left to come."""
    return trimmed(schedule, now=now) is None


def unwrapped(document: Any) -> Any:
    """Return a result that came inside an envelope without it, any other as it is.

    Some platforms wrap what they POST to response_url, though the envelope is for responses only. Raises
    InvalidParameters for those that must not.
    """
    if isinstance(document, dict) and "result" not in document and isinstance(document.get("data"), dict):
        tolerate(Quirk.WRAPPED_RESULTS, "result: must not be inside an envelope")
        return document["data"]
    return document


def checked_profile(document: Any, *, now: datetime) -> dict[str, Any]:
    """Return a ChargingProfile that may be sent to a CPO, starting now when it names no start.

    `document` is a ChargingProfile or an object with one under `charging_profile`. Raises
    InvalidParameters when a CPO would have to refuse it.
    """
    document = as_object(document)
    profile = CHARGING_PROFILE.check(as_object(document.get("charging_profile", document)))
    if "start_date_time" not in profile:
        profile = {"start_date_time": format_datetime(now.replace(microsecond=0)), **profile}
    schedule = schedule_of(profile, relative_to=now)
    if is_over(schedule, now=now):
        raise InvalidParameters("charging_profile: it ended in the past.")
    return profile

"""Adds chargers: a location when it is new, an EVSE with a connector per outlet, and the password's hash."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError, transaction

from chargers.door import LONGEST_IDENTITY
from chargers.models import Charger, Outlet
from chargers.passwords import hash_password
from locations.actions import add_own_evse, add_own_location, find_own_location
from locations.models import Evse
from ocpi.partners.own import Party, party_for
from ocpi.protocol.types import fold

# What OCPP allows in a charger's name, which stands in an address and before the colon of Basic auth.
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]+")
_LOCATION_ID = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,36}")
LONGEST_PASSWORD = 64
MOST_OUTLETS = 100


class UnableToAdd(Exception):
    """The charger can't be added; the message says why."""

    is_foreseen = True


def add_charger(
    *,
    identity: str,
    now: datetime,
    location_id: str = "",
    party: Party | None = None,
    evses: int = 1,
    phases: int = 3,
    voltage_v: int = 230,
    max_current_a: int = 32,
    password: str = "",
) -> Charger:
    """Add a charger with `evses` outlets at one of our locations, which is made when it is new.

    The location is one of `party`, by default our first CPO. Without `location_id` it is named after the
    charger. voltage_v is line to neutral, max_current_a per phase. Without a password the charger may connect
    without one.
    Raises UnableToAdd, InvalidParameters.
    """
    party = party or party_for("CPO")
    location_id = location_id or f"LOC-{identity}"[:36]
    _check_names(identity, location_id, password)
    _check_power(evses=evses, phases=phases, voltage_v=voltage_v, max_current_a=max_current_a)
    try:
        with transaction.atomic():
            if Charger.objects.filter(identity=identity).exists():
                raise UnableToAdd(f"There is a charger {identity} already.")
            location = find_own_location(party, location_id) or add_own_location(
                party=party, location_id=location_id, now=now
            )
            charger = Charger.objects.create(
                identity=identity,
                password_hash=hash_password(password) if password else "",
                location=location,
                created_at=now,
            )
            for number in range(1, evses + 1):
                evse = add_own_evse(
                    location=location,
                    uid=_free_uid(identity, number),
                    phases=phases,
                    voltage_v=voltage_v,
                    max_current_a=max_current_a,
                    now=now,
                )
                Outlet.objects.create(
                    charger=charger,
                    number=number,
                    evse=evse,
                    phases=phases,
                    voltage_v=voltage_v,
                    max_current_a=max_current_a,
                )
    except IntegrityError as error:
        raise UnableToAdd(f"There is a charger {identity} already.") from error
    return charger


def _free_uid(identity: str, number: int) -> str:
    """Return a uid that no EVSE of ours has; names of two chargers may differ only in case, or late.

    Spec: OCPI 2.2.1 mod_locations, EVSE object: unique within the CPO's platform.
    """
    own = Evse.objects.filter(location__partner=None)
    uid = uid_start = f"{identity[:30]}-{number}"
    tries = 1
    while own.filter(key=fold(uid)).exists():
        tries += 1
        uid = f"{uid_start}-{tries}"
    return uid


def _check_names(identity: str, location_id: str, password: str) -> None:
    if not _IDENTITY.fullmatch(identity) or len(identity) > LONGEST_IDENTITY:
        raise UnableToAdd(
            f"{identity!r} is no name for a charger: 1 to {LONGEST_IDENTITY} letters, digits and *-_=+|@."
        )
    if not _LOCATION_ID.fullmatch(location_id):
        raise UnableToAdd(f"{location_id!r} is no id for a location: 1 to 36 letters, digits and *-_=+|@.")
    if len(password) > LONGEST_PASSWORD or not password.isprintable():
        raise UnableToAdd(f"--password must be at most {LONGEST_PASSWORD} printable characters.")


def _check_power(*, evses: int, phases: int, voltage_v: int, max_current_a: int) -> None:
    for name, value, least, most in (
        ("evses", evses, 1, MOST_OUTLETS),
        ("voltage", voltage_v, 50, 1000),
        ("max-current", max_current_a, 1, 1000),
    ):
        if not least <= value <= most:
            raise UnableToAdd(f"--{name} must be {least} to {most}, not {value}.")
    if phases not in (1, 3):
        raise UnableToAdd(f"--phases must be 1 or 3, not {phases}.")

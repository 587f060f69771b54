"""Our own parties: OCPI messages are between parties, of which one platform may have several.

COUNTRY_CODE, PARTY_ID, PARTY_NAME and ROLES name the main one, OTHER_PARTIES the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from ocpi.protocol.headers import routing_of
from ocpi.protocol.types import fold

Party = tuple[str, str]


class NoSuchParty(Exception):
    """None of our parties is meant; the message names those that are."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


@dataclass(frozen=True)
class OwnParty:
    """A party of ours: its (country_code, party_id), the roles that it plays, and its name."""

    party: Party
    roles: tuple[str, ...]
    name: str


def own_parties() -> list[OwnParty]:
    """Return our parties, the main one first."""
    main = OwnParty((settings.COUNTRY_CODE, settings.PARTY_ID), tuple(settings.ROLES), settings.PARTY_NAME)
    others = [
        OwnParty((country_code, party_id), tuple(roles), name)
        for country_code, party_id, roles, name in settings.OTHER_PARTIES
    ]
    return [main, *others]


def all_parties() -> list[Party]:
    """Return the (country_code, party_id) of each of our parties, the main one first."""
    return [own.party for own in own_parties()]


def is_ours(party: Party) -> bool:
    """Tell whether a (country_code, party_id) is one of our parties, whatever its case."""
    return (fold(party[0]), fold(party[1])) in all_parties()


def own_roles() -> set[str]:
    """Return the roles that any of our parties plays."""
    return {role for own in own_parties() for role in own.roles}


def playing(role: str) -> list[Party]:
    """Return our parties that play a role, the main one first."""
    return [own.party for own in own_parties() if role in own.roles]


def party_for(role: str) -> Party:
    """Return the party that plays a role where nothing else tells which: the first with it, or the main."""
    return (playing(role) or all_parties())[0]


def own_cpo(text: str) -> Party:
    """Return the CPO party of ours that people write as NL-ABC. Raises NoSuchParty."""
    country_code, _, party_id = fold(text.strip()).partition("-")
    if (country_code, party_id) not in playing("CPO"):
        known = ", ".join("-".join(party) for party in playing("CPO")) or "none"
        raise NoSuchParty(f"{text} is not one of our CPO parties: {known}.")
    return country_code, party_id


def addressed(request: Any) -> Party | None:
    """Return the party of ours that a checked request goes to; None when it has no routing headers."""
    routing = routing_of(request)
    return routing.to_party if routing else None

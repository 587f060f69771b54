"""The OCPI 2.2.1 Credentials object: what we say of ourselves, and the check of what partners say."""

from __future__ import annotations

import re
from typing import Any

from ocpi.partners.own import own_parties
from ocpi.partners.versions import versions_url
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.types import CiString, Enum, Field, Integer, ListOf, Object, String, Url, fold, optional

_TOKEN = re.compile(r"[!-~]{1,64}")
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}")
_PARTY_ID = re.compile(r"[A-Za-z0-9]{1,3}")
ROLES = ("CPO", "EMSP", "HUB", "NAP", "NSP", "OTHER", "SCSP")
# OCPI: mod_locations has these two; credentials are the lowest module that uses them.
IMAGE = Object(
    {
        "url": Url(),
        "thumbnail": optional(Url()),
        "category": Enum(
            "CHARGER", "ENTRANCE", "LOCATION", "NETWORK", "OPERATOR", "OTHER", "OWNER", open=True
        ),
        "type": CiString(4),
        "width": optional(Integer(least=0, most=99_999)),
        "height": optional(Integer(least=0, most=99_999)),
    }
)
BUSINESS_DETAILS = Object({"name": String(100), "website": optional(Url()), "logo": optional(IMAGE)})


def own_credentials(token: str) -> dict[str, Any]:
    """Return our Credentials object, with all our parties, and a token that opens our doors."""
    return {
        "token": token,
        "url": versions_url(),
        "roles": [
            {
                "role": role,
                "country_code": own.party[0],
                "party_id": own.party[1],
                "business_details": {"name": own.name},
            }
            for own in own_parties()
            for role in own.roles
        ],
    }


def check_credentials(document: Any) -> dict[str, Any]:
    """Return the checked Credentials of a partner that wants to register. Raises InvalidParameters."""
    return _with_folded_parties(CREDENTIALS.check(document))


def check_answer(document: Any) -> dict[str, Any]:
    """Return the checked Credentials that answer ours; what we don't need may be missing.

    Raises InvalidParameters.
    """
    return _with_folded_parties(ANSWERED_CREDENTIALS.check(document))


def role_of(role: str, country_code: str, party_id: str) -> dict[str, Any]:
    """Return the checked CredentialsRole of a party that an operator names. Raises InvalidParameters."""
    document = {"roles": [{"role": role, "country_code": country_code, "party_id": party_id}]}
    _unique_roles(document)
    return _with_folded_parties(document)["roles"][0]


def party_of(role: dict[str, Any]) -> tuple[str, str, str]:
    """Return (role, country_code, party_id), which is unique on a platform."""
    return role["role"], role["country_code"], role["party_id"]


def _printable_token(document: dict[str, Any]) -> None:
    if not _TOKEN.fullmatch(document["token"]):
        raise InvalidParameters("token: must be 1 to 64 printable ASCII characters without spaces")


def _unique_roles(document: dict[str, Any]) -> None:
    seen = set()
    for number, role in enumerate(document["roles"]):
        if not _COUNTRY_CODE.fullmatch(role["country_code"]):
            raise InvalidParameters(f"roles[{number}].country_code: must be two letters")
        if not _PARTY_ID.fullmatch(role["party_id"]):
            raise InvalidParameters(f"roles[{number}].party_id: must be up to three letters or digits")
        party = tuple(fold(part) for part in party_of(role))
        if party in seen:
            raise InvalidParameters(f"roles[{number}]: the same role and party are listed twice")
        seen.add(party)


def _with_folded_parties(document: dict[str, Any]) -> dict[str, Any]:
    for role in document["roles"]:
        role["country_code"] = fold(role["country_code"])
        role["party_id"] = fold(role["party_id"])
    return document


_PARTY: dict[str, Field] = {"role": Enum(*ROLES), "country_code": CiString(2), "party_id": CiString(3)}
CREDENTIALS_ROLE = Object({**_PARTY, "business_details": BUSINESS_DETAILS})
CREDENTIALS = Object(
    {"token": String(64), "url": Url(), "roles": ListOf(CREDENTIALS_ROLE, least=1)},
    rules=[_printable_token, _unique_roles],
)
# Refusing an answer for its logo would leave the other side with a registration that we don't have.
_ANSWERED_ROLE = Object({**_PARTY, "business_details": optional(Object({"name": String(100)}))})
ANSWERED_CREDENTIALS = Object(
    {"token": String(64), "url": optional(Url()), "roles": ListOf(_ANSWERED_ROLE, least=1)},
    rules=[_printable_token, _unique_roles],
)

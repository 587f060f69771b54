"""When both sides register, or renew their credentials, at the same moment.

OCPI 2.2.1 credentials says nothing of it. Each side would store the other's token and drop its own, and
neither could call any more. So a POST or PUT that comes while one of ours to the same platform is unanswered
is refused if our first party comes before theirs, and taken if not. Both sides decide alike, and one exchange
stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ocpi.partners import tokens
from ocpi.partners.documents import own_credentials
from ocpi.partners.models import Partner
from ocpi.protocol.errors import OcpiError


def check_turn(partner: Partner, credentials: dict[str, Any], *, now: datetime) -> None:
    """Check that the credentials that a partner sends may be taken now. Raises OcpiError (2000)."""
    if not tokens.open_offers(partner, to=credentials["url"], now=now).exists():
        return
    if _first_party(own_credentials("")["roles"]) < _first_party(credentials["roles"]):
        raise OcpiError(
            "We are sending you our credentials at this moment: answer those, or try again in a minute."
        )


def _first_party(roles: Iterable[dict[str, Any]]) -> tuple[str, str]:
    return min((role["country_code"], role["party_id"]) for role in roles)

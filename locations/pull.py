"""Pulls a partner's locations from its Sender interface; sessions are pulled the same way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from django.utils import timezone

from locations.received import put_location
from locations.updates import Party
from ocpi.partners.calls import call_url, endpoint_of
from ocpi.partners.models import Partner
from ocpi.partners.pulls import LONGEST_LIST_S, PullCount, UnableToPull, register_puller
from ocpi.protocol.client import Reply
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.pagination import BrokenList, pages
from ocpi.protocol.quirks import refusing
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import fold

logger = logging.getLogger(__name__)


def pull_locations(partner: Partner, since: datetime) -> PullCount:
    """Store every location that the partner changed since then."""

    def store(party: Party, location_id: str, document: Any) -> None:
        put_location(partner=partner, party=party, location_id=location_id, body=document, now=timezone.now())

    return pull_objects(partner, "locations", since, store)


def pull_objects(
    partner: Partner, module: str, since: datetime, store: Callable[[Party, str, Any], None]
) -> PullCount:
    """Read a partner's list from `since` on and give each object to `store(party, id, document)`.

    A broken object, or one of somebody else's party, is refused and logged; the others are kept.
    Raises UnableToPull, CallFailed or NoEndpoint when the list can't be read to its end in LONGEST_LIST_S.
    """
    is_theirs = cache(partner.speaks_for)
    stored = refused = 0
    stop_at_s = time.monotonic() + LONGEST_LIST_S

    def fetch(url: str, params: Mapping[str, Any] | None) -> Reply:
        if time.monotonic() > stop_at_s:
            raise UnableToPull(f"The list did not end within {LONGEST_LIST_S:g} s.")
        return call_url(partner, method="GET", url=url, params=params)

    url = endpoint_of(partner, module=module, role="SENDER")
    # OCPI: mod_sessions requires date_from; we send it always (transport_and_format, "Paginated Request").
    try:
        for document in chain.from_iterable(pages(fetch, url, {"date_from": format_datetime(since)})):
            try:
                party, object_id = _identity(document)
                if not is_theirs(party):
                    raise InvalidParameters(f"party_id: {'-'.join(party)} is not a party of theirs")
                with refusing(partner.refuses):
                    store(party, object_id, document)
                stored += 1
            except InvalidParameters as error:
                refused += 1
                logger.warning("Refused one of the %s of partner %s: %s", module, partner.pk, error.message)
    except BrokenList as error:
        raise UnableToPull(str(error)) from error
    return PullCount(stored, refused)


def _identity(document: Any) -> tuple[Party, str]:
    """Return an object's party, folded, and its id. Raises InvalidParameters."""
    if not isinstance(document, dict):
        raise InvalidParameters("The list must hold JSON objects.")
    for name in ("country_code", "party_id", "id"):
        if not isinstance(document.get(name), str) or not document[name]:
            raise InvalidParameters(f"{name}: is required")
    return (fold(document["country_code"]), fold(document["party_id"])), document["id"]


def register() -> None:
    """Tell the partners app how locations are pulled."""
    register_puller("locations", pull_locations)

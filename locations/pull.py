"""Pulls a partner's locations from its Sender interface; sessions are pulled the same way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from locations.models import Location
from locations.received import put_location
from locations.updates import Party
from ocpi.partners.calls import call_url, endpoint_of
from ocpi.partners.models import Partner
from ocpi.partners.pulls import (
    BEGINNING,
    LONGEST_LIST_S,
    PullCount,
    Reading,
    UnableToPull,
    register_puller,
)
from ocpi.protocol.client import Reply
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.list_reading import BrokenList, Place, pages, total_of
from ocpi.protocol.quirks import refusing
from ocpi.protocol.times import format_datetime
from ocpi.protocol.types import fold

logger = logging.getLogger(__name__)

LONGEST_NAME = 60
MOST_MARKED = 500

# country_code, party_id and id, folded.
Name = tuple[str, str, str]


def pull_locations(partner: Partner, reading: Reading) -> PullCount:
    """Store every location that the partner changed since the reading says, or its whole list."""

    def store(party: Party, location_id: str, document: Any) -> None:
        put_location(partner=partner, party=party, location_id=location_id, body=document, now=timezone.now())

    began_at = timezone.now()
    listing = pull_objects(partner, "locations", reading, store)
    if listing.is_whole:
        before = Location.objects.filter(partner=partner, created_at__lt=began_at)
        mark_unconfirmed(before, "location_id", listing.names, now=began_at)
    return listing.count


def mark_unconfirmed(rows: QuerySet[Any], id_field: str, listed: frozenset[Name], *, now: datetime) -> None:
    """Mark the rows that a whole list lacks, and no longer those that it has again.

    They stay: platforms leave out for a while what is only being worked on.
    """
    columns = ("pk", "unconfirmed_at", "country_code", "party_id", id_field)
    missing: list[int] = []
    found: list[int] = []
    # Read to the end first: SQLite takes no write while a reading is open and others write.
    for pk, unconfirmed_at, country_code, party_id, object_id in list(rows.values_list(*columns)):
        is_listed = (country_code, party_id, fold(object_id)) in listed
        if is_listed != (unconfirmed_at is None):
            (found if is_listed else missing).append(pk)
    for keys, moment in ((missing, now), (found, None)):
        for begin in range(0, len(keys), MOST_MARKED):
            rows.filter(pk__in=keys[begin : begin + MOST_MARKED]).update(unconfirmed_at=moment)


@dataclass(frozen=True)
class Listing:
    """What a partner's list had: how many objects came of it, and which it named, also in vain.

    `is_whole` says that nothing else is theirs: the list had no filter, every object in it could be named,
    and there were as many as it promised.
    """

    count: PullCount
    names: frozenset[Name]
    is_whole: bool


def pull_objects(
    partner: Partner, module: str, reading: Reading, store: Callable[[Party, str, Any], None]
) -> Listing:
    """Read a partner's list to its end; give each object to `store(party, id, document)`.

    A broken object, or one of somebody else's party, is refused and logged; the others are kept.
    Raises UnableToPull, CallFailed or NoEndpoint when the list can't be read to its end in LONGEST_LIST_S;
    the next reading goes on where this one came to.
    """
    is_theirs = cache(partner.speaks_for)
    stored = refused = 0
    names: set[Name] = set()
    promised = 0
    is_named = True
    stop_at_s = time.monotonic() + LONGEST_LIST_S

    def fetch(place: Place) -> Reply:
        reading.keep(place if place.offset else None)
        if time.monotonic() > stop_at_s:
            raise UnableToPull(f"The list did not end within {LONGEST_LIST_S:g} s.")
        nonlocal promised
        reply = call_url(partner, method="GET", url=place.address, params=place.query)
        promised = total_of(reply) or 0
        return reply

    url = endpoint_of(partner, module=module, role="SENDER")
    # OCPI: mod_sessions requires date_from, in mod_locations it is a filter.
    is_filtered = reading.since is not None or module == "sessions"
    query = {"date_from": format_datetime(reading.since or BEGINNING)} if is_filtered else {}
    try:
        for document in chain.from_iterable(pages(fetch, url, query, place=reading.place)):
            name = ""
            try:
                party, object_id = _identity(document)
                name = ascii("-".join((*party, object_id))[:LONGEST_NAME])
                names.add((*party, fold(object_id)))
                if not is_theirs(party):
                    raise InvalidParameters(f"party_id: {'-'.join(party)} is not a party of theirs")
                with refusing(partner.refuses):
                    store(party, object_id, document)
                stored += 1
            except InvalidParameters as error:
                refused += 1
                is_named &= bool(name)
                logger.warning(
                    "Refused %s of the %s of partner %s: %s", name or "one", module, partner.pk, error.message
                )
    except BrokenList as error:
        if not error.is_passing:
            reading.keep(None)
        raise UnableToPull(str(error)) from error
    # A list that repeats itself has fewer objects than it counts.
    is_read_whole = reading.since is None and reading.place is None
    is_whole = is_read_whole and is_named and len(names) >= promised
    return Listing(PullCount(stored, refused), frozenset(names), is_whole)


def _identity(document: Any) -> tuple[Party, str]:
    """Return an object's party, folded, and its id. Raises InvalidParameters."""
    if not isinstance(document, dict):
        raise InvalidParameters("The list must hold JSON objects.")
    texts = []
    for name in ("country_code", "party_id", "id"):
        value = document.get(name)
        # Platforms write ids as numbers, too.
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise InvalidParameters(f"{name}: is required")
        texts.append(str(value))
    return (fold(texts[0]), fold(texts[1])), texts[2]


def register() -> None:
    """Tell the partners app how locations are pulled."""
    register_puller("locations", pull_locations)

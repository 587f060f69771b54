"""The rules that every update a partner sends obeys, of a location or a session: whose it is, and how old."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from ocpi.partners import pull_times
from ocpi.partners.models import Partner
from ocpi.protocol.errors import InvalidParameters, UnknownLocation, UnknownObject
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.times import parse_datetime
from ocpi.protocol.types import check_case, fold

logger = logging.getLogger(__name__)

MOST_AHEAD = timedelta(days=1)

Document = dict[str, Any]
Party = tuple[str, str]


class Stored(Protocol):
    """A row that keeps an OCPI object."""

    last_updated: datetime


@contextmanager
def asking_again(partner: Partner, *, now: datetime) -> Iterator[None]:
    """Pull from the partner soon when it changes what we don't have: the PUT before was lost.

    Around a whole update, outside its transaction. Raises what is raised in it.
    """
    try:
        yield
    except (UnknownLocation, UnknownObject):
        pull_times.expect_gap(partner.pk, now=now)
        raise


def check_owner(partner: Partner, party: Party) -> None:
    """Check that the party in the URL is one that the partner speaks for. Raises UnknownObject.

    Spec: OCPI 2.2.1 transport_and_format, "Errors" of Client Owned Object Push: 404 for a foreign party.
    """
    if not partner.speaks_for(party):
        raise UnknownObject(f"{fold('-'.join(party))} is not one of your parties.")


def moment_of(document: Mapping[str, Any]) -> datetime:
    """Return the object's last_updated."""
    return parse_datetime(document["last_updated"])


def check_moment(document: Mapping[str, Any], *, now: datetime) -> None:
    """Check that no object in it was updated in the future: nothing could change it until then.

    Clocks may differ by a day. Raises InvalidParameters.
    """
    if moment_of(document) > now + MOST_AHEAD:
        raise InvalidParameters("last_updated: must not be in the future")
    for child in (*document.get("evses", ()), *document.get("connectors", ())):
        check_moment(child, now=now)


def is_older(document: Document, stored: Stored) -> bool:
    """Tell whether an update is older than what is stored; such a late comer changes nothing."""
    if moment_of(document) >= stored.last_updated:
        return False
    tolerate(Quirk.LATE_UPDATES, "last_updated: is older than what is stored")
    logger.info("An update of %s %s is older than what is stored: ignored.", type(stored).__name__, stored)
    return True


def check_same(document: Document, **ids: str) -> None:
    """Check that the ids in the body are those of the URL; their case counts only where we are strict.

    Raises InvalidParameters.
    """
    for name, wanted in ids.items():
        if fold(document[name]) != fold(wanted):
            raise InvalidParameters(f"{name}: must be {wanted}, as in the URL")
        check_case(name, document[name], wanted)


def read_changes(body: Any, **ids: str) -> Document:
    """Return the fields that a PATCH changes, without the ids, which can't. Raises InvalidParameters."""
    if not isinstance(body, dict):
        raise InvalidParameters("The body must be a JSON object.")
    if body.get("last_updated") is None:
        raise InvalidParameters("last_updated: a PATCH must have it")
    check_same({**body, **{name: str(body.get(name, wanted)) for name, wanted in ids.items()}}, **ids)
    return {name: value for name, value in body.items() if name not in ids}

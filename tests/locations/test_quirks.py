"""Locations of a partner from which quirks are refused."""

from __future__ import annotations

from typing import Any

import pytest

from ocpi.partners.models import Partner
from ocpi.protocol.quirks import Quirk
from tests.factories import connector_document, evse_document, location_document, make_partner
from tests.locations.calling import Calls

pytestmark = pytest.mark.django_db

LATER = {"last_updated": "2026-01-15T13:00:00Z"}
EARLIER = {"last_updated": "2026-01-15T11:00:00Z"}
DONE, REFUSED = (200, 1000), (200, 2001)
ODD = location_document(colour="red", evses=[evse_document("EVSE1", shape="round")])
PLACES = ("/NL/NOD/LOC1", "/NL/NOD/LOC1/EVSE1", "/NL/NOD/LOC1/EVSE1/1")


@pytest.fixture
def cpo(settings: Any) -> Calls:
    """A partner whose stored location has fields that OCPI does not."""
    # NL-NOD of the documents is theirs.
    settings.PARTY_ID = "OUR"
    make_partner(role="CPO", country_code="NL", party_id="NOD", token="cpo")
    calls = Calls("receiver/locations", "cpo")
    assert calls.status("PUT", PLACES[0], ODD) == (201, 1000)
    return calls


def refuse(*quirks: Quirk) -> None:
    Partner.objects.update(refused_quirks=list(quirks))


@pytest.mark.parametrize("path", PLACES)
def test_changes_what_was_stored_with_quirks_that_are_refused_by_now(cpo: Calls, path: str) -> None:
    refuse(*set(Quirk) - {Quirk.MISSING_ROUTING, Quirk.MISSING_MESSAGE_IDS})

    assert cpo.status("PATCH", path, LATER) == DONE
    assert cpo.status("PATCH", path, LATER | {"smell": "none"}) == REFUSED
    assert cpo.get(PLACES[0])[1]["data"]["colour"] == "red"


@pytest.mark.parametrize(
    ("quirk", "path", "changes"),
    [
        (Quirk.UNKNOWN_FIELDS, PLACES[1], {"connectors": [{"id": "1", "smell": "none"}]}),
        (Quirk.NULLS, PLACES[1], {"floor_level": None}),
        (Quirk.NUMBERS_AS_STRINGS, PLACES[2], {"max_voltage": "230"}),
        (Quirk.MIXED_CASE_IDS, "/nl/nod/loc1", {}),
        (Quirk.MIXED_CASE_IDS, "/NL/NOD/LOC1/evse1", {}),
    ],
)
def test_refuses_a_quirk_anywhere_in_a_change(
    cpo: Calls, quirk: Quirk, path: str, changes: dict[str, Any]
) -> None:
    assert cpo.status("PATCH", path, LATER | changes) == DONE
    refuse(quirk)

    assert cpo.status("PATCH", path, LATER | changes) == REFUSED


@pytest.mark.parametrize(
    ("path", "document"),
    [(PLACES[0], ODD), (PLACES[1], evse_document("EVSE1")), (PLACES[2], connector_document())],
)
def test_refuses_what_is_older_than_what_is_stored(cpo: Calls, path: str, document: dict[str, Any]) -> None:
    refuse(Quirk.LATE_UPDATES)

    assert cpo.status("PUT", path, document | EARLIER) == REFUSED
    assert cpo.status("PUT", path, document) == DONE

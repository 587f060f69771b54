"""The specification's own examples: each goes in as it is printed, and comes back as it went in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from locations.objects import LOCATION
from ocpi.partners.discovery import PublishedEndpoint, discover
from ocpi.partners.documents import check_answer, check_credentials
from ocpi.protocol.errors import InvalidParameters, UnsupportedVersion
from sessions.objects import SESSION
from tests.factories import location_document, make_partner, session_document
from tests.locations.calling import EXAMPLES, Calls, example
from tests.objects.examples import (
    BROKEN,
    CREDENTIALS,
    LOCATION_PATCHES,
    LOCATIONS,
    PARTS,
    SESSION_PATCHES,
    SESSIONS,
    VERSIONS,
)
from tests.peer import Peer

DONE = {"status_code": 1000}


def hub(module: str) -> Calls:
    """Return calls of a partner that may tell of anybody's objects."""
    make_partner(role="HUB", country_code="NL", party_id="HUB", token="hub")
    return Calls(f"receiver/{module}", "hub")


def path_of(document: dict[str, Any]) -> str:
    """Return where an object is stored."""
    return f"/{document['country_code']}/{document['party_id']}/{document['id']}"


def test_has_a_test_for_each_example() -> None:
    tested = [*LOCATIONS, *PARTS, *LOCATION_PATCHES, *SESSIONS, *SESSION_PATCHES, *CREDENTIALS, *VERSIONS]

    assert sorted([*tested, *BROKEN]) == sorted(one.stem for one in EXAMPLES.glob("*.json"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("module", "name"),
    [*(("locations", name) for name in LOCATIONS), *(("sessions", name) for name in SESSIONS)],
)
def test_gives_a_whole_object_back_unchanged(module: str, name: str) -> None:
    document, calls = example(name), hub(module)
    path = path_of(document)

    assert calls.put(path, document) == (201, DONE)
    assert calls.get(path) == (200, DONE | {"data": document})
    assert calls.put(path, document) == (200, DONE)
    assert calls.get(path) == (200, DONE | {"data": document})
    for evse in document.get("evses", []):
        assert calls.get(f"{path}/{evse['uid']}") == (200, DONE | {"data": evse})
        for connector in evse["connectors"]:
            assert calls.get(f"{path}/{evse['uid']}/{connector['id']}") == (200, DONE | {"data": connector})


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "field"), PARTS.items())
def test_gives_a_part_back_inside_its_location(name: str, field: str) -> None:
    part = example(name)
    fields = {field: [part] if field == "directions" else part} if field else part
    document, calls = location_document(**fields), hub("locations")
    document["party_id"] = "PTN"

    assert calls.put("/NL/PTN/LOC1", document) == (201, DONE)
    assert calls.get("/NL/PTN/LOC1") == (200, DONE | {"data": document})


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "below"), LOCATION_PATCHES.items())
def test_takes_a_change_of_a_location(name: str, below: str) -> None:
    document, calls = example("location_example"), hub("locations")
    path, change = path_of(document), example(name)
    calls.put(path, document)
    before = calls.get(path + below)[1]["data"]

    assert calls.patch(path + below, change) == (200, DONE)

    assert calls.get(path + below) == (200, DONE | {"data": before | change})
    assert calls.get(path)[1]["data"]["last_updated"] == change["last_updated"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", SESSION_PATCHES)
def test_takes_a_change_of_a_session(name: str) -> None:
    change, calls = example(name), hub("sessions")
    known = {"start_date_time": "2019-06-23T08:06:02Z", "dimensions": [{"type": "ENERGY", "volume": 1}]}
    document = session_document(
        country_code="NL", party_id="PTN", charging_periods=[known], last_updated="2019-06-23T08:06:02Z"
    )
    calls.put("/NL/PTN/S1", document)

    assert calls.patch("/NL/PTN/S1", change) == (200, DONE)

    changed = document | change | {"charging_periods": [known, *change.get("charging_periods", [])]}
    assert calls.get("/NL/PTN/S1") == (200, DONE | {"data": changed})


@pytest.mark.parametrize("name", CREDENTIALS)
def test_takes_credentials_whole_with_their_logos(name: str) -> None:
    assert check_credentials(example(name)) == example(name)
    assert check_answer(example(name)) == example(name)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A platform that publishes what the examples say, under its own address."""
    with Peer() as peer:
        yield peer


def published(peer: Peer, name: str) -> Any:
    """Return an example with the platform's own address in it."""
    text = (EXAMPLES / f"{name}.json").read_text()
    for example_host in ("https://www.server.com", "https://example.com"):
        text = text.replace(example_host, peer.url)
    return json.loads(text)


@pytest.mark.parametrize("details", ["version_details_example", "version_details_example2"])
def test_finds_every_endpoint_of_the_versions(peer: Peer, settings: Any, details: str) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    listed = published(peer, details)
    peer.answer("GET", "/versions", data=published(peer, "versions_info_example"))
    peer.answer("GET", "/ocpi/2.2.1", data=listed)

    found = discover(f"{peer.url}/versions", "token-a")

    assert [vars(one) for one in found.endpoints] == listed["endpoints"]
    assert found.credentials_url == f"{peer.url}/ocpi/2.2/credentials"


def test_reads_the_envelopes_of_versions_and_details(peer: Peer, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    peer.answer("GET", "/versions", data=[{"version": "2.2.1", "url": f"{peer.url}/2.2.1"}])
    peer.answer("GET", "/2.2.1", body=published(peer, "transport_and_format_version_details_example"))

    assert discover(f"{peer.url}/versions", "token-a").endpoints == (
        PublishedEndpoint("credentials", "SENDER", f"{peer.url}/ocpi/cpo/2.2/credentials"),
        PublishedEndpoint("locations", "SENDER", f"{peer.url}/ocpi/cpo/2.2/locations"),
    )

    # The other example offers no 2.2.1.
    peer.answer("GET", "/versions", body=published(peer, "transport_and_format_version_info_example"))
    with pytest.raises(UnsupportedVersion, match=r"^We speak 2\.2\.1; .*/versions offers 2\.1\.1, 2\.2\.$"):
        discover(f"{peer.url}/versions", "token-a")


def test_knows_the_mistakes_in_the_examples() -> None:
    # An EVSE to add whose connector lacks four required fields; its floor_level is called floor.
    evse = example("location_put_example_add_evse")
    with pytest.raises(InvalidParameters) as caught:
        LOCATION.check(location_document(evses=[evse]))
    assert caught.value.message == "evses[0].connectors[0].power_type: is missing"

    needed = {
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 16,
        "last_updated": evse["last_updated"],
    }
    mended = evse | {"connectors": [evse["connectors"][0] | needed]}
    taken = LOCATION.check(location_document(evses=[mended]))["evses"][0]
    # The unknown field is kept; a number where text belongs becomes text.
    assert taken == mended | {"physical_reference": "3"}
    assert taken["floor"] == -1

    # Energy in Wh instead of kWh: we can't know, and keep what was said.
    finished = example("session_example_2_short_finished")
    assert SESSION.check(finished) == finished

    # The version details say 2.2 where 2.2.1 was asked for: which version it is was chosen before.
    assert example("version_details_example")["version"] == "2.2"

    # A text of mod_sessions says RESERVED where the enum has RESERVATION.
    assert SESSION.check(session_document(status="RESERVED"))["status"] == "RESERVATION"

"""The specification's own examples on a live node: stored as printed, read back as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories import CPO_ENDPOINTS, location_document
from tests.journeys.provider import Provider, Scene, registered
from tests.locations.calling import example
from tests.objects.examples import LOCATION_PATCHES, LOCATIONS, PARTS, SESSIONS
from tests.spec.endpoints import CREATED, DONE, REFUSED, Endpoint


@pytest.fixture(scope="module")
def hub(scene: Scene) -> Iterator[Provider]:
    """A hub, which may bring the objects of every party."""
    with registered(scene.node, party=("NL", "EXH"), role="HUB", endpoints=CPO_ENDPOINTS) as partner:
        yield partner


def test_whole_locations_and_sessions_come_back_unchanged(hub: Provider) -> None:
    for module, names in (("locations", LOCATIONS), ("sessions", SESSIONS)):
        endpoint = Endpoint(hub, module, "RECEIVER")
        for name in names:
            document = example(name)
            path = f"/{document['country_code']}/{document['party_id']}/{document['id']}"
            assert endpoint.put(path, document) in (CREATED, DONE), name
            assert endpoint.data(path) == document, name


def test_parts_come_back_inside_their_location(hub: Provider) -> None:
    locations = Endpoint(hub, "locations", "RECEIVER")
    for number, (name, field) in enumerate(PARTS.items()):
        part = example(name)
        fields = {field: [part] if field == "directions" else part} if field else part
        document = location_document(f"EX{number}", country_code="BE", party_id="BEC", **fields)
        assert locations.put(f"/BE/BEC/EX{number}", document) == CREATED, name
        assert locations.data(f"/BE/BEC/EX{number}") == document, name


def test_changes_are_taken_at_their_depth(hub: Provider) -> None:
    locations = Endpoint(hub, "locations", "RECEIVER")
    locations.put("/BE/BEC/LOC1", example("location_example"))
    for name, below in LOCATION_PATCHES.items():
        before = locations.data(f"/BE/BEC/LOC1{below}")
        assert locations.patch(f"/BE/BEC/LOC1{below}", example(name)) == DONE, name
        assert locations.data(f"/BE/BEC/LOC1{below}") == before | example(name), name


def test_the_incomplete_example_is_refused_by_name(hub: Provider) -> None:
    locations = Endpoint(hub, "locations", "RECEIVER")
    evse = example("location_put_example_add_evse")
    locations.put("/BE/BEC/LOC2", location_document("LOC2", country_code="BE", party_id="BEC"))

    answer = locations.ask("PUT", "/BE/BEC/LOC2/3256", evse)

    assert locations.put("/BE/BEC/LOC2/3256", evse) == REFUSED
    assert answer.json()["status_message"] == "connectors[0].power_type: is missing"

"""A live node, CPO and SCSP at once, between raw partners and a raw station, on the lane's form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.factories import CPO_ENDPOINTS
from tests.journeys.conftest import make_node
from tests.journeys.nodes import Node
from tests.journeys.obedient import ObedientStation
from tests.journeys.provider import Provider, Scene, registered

TIMEOUT_S = 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run them with the journeys: they start real processes, too."""
    for item in items:
        if "spec" in item.path.parts:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The node, two providers that may steer, one that may not, and a station with free connectors."""
    node = make_node(
        tmp_path_factory.mktemp("spec"),
        name="Spec",
        country_code="NL",
        party_id="SPC",
        role="CPO,SCSP",
        port=8500,
        redis_number=13,
    )
    node.environment |= {"PROFILE_TIMEOUT_S": str(TIMEOUT_S), "PROFILE_RATE": "25/min"}
    node.environment["OTHER_PARTIES"] = "NL-SP2=CPO:Second,NL-SP3=SCSP:Third"
    with ExitStack() as running:
        running.callback(node.stop)
        node.start()
        node.ready()
        node.ask("charger", "add", "SPEC-1", "--location", "SPEC", "--evses", "60")
        provider = running.enter_context(registered(node, "--may-steer", party=("DE", "PRO")))
        other = running.enter_context(registered(node, "--may-steer", party=("DE", "OTH")))
        stranger = running.enter_context(registered(node, party=("DE", "STR")))
        station = running.enter_context(ObedientStation(f"ws://127.0.0.1:{node.ocpp_port}", "SPEC-1"))
        station.boot()
        yield Scene(node, provider, other, stranger, station)


@pytest.fixture(scope="session")
def node(scene: Scene) -> Node:
    """The node."""
    return scene.node


@pytest.fixture(scope="session")
def provider(scene: Scene) -> Provider:
    """A partner that is an SCSP and may steer."""
    return scene.provider


@pytest.fixture(scope="session")
def cpo(scene: Scene) -> Iterator[Provider]:
    """A partner that is a CPO: it tells of locations NL/PTN and sessions, and takes profiles."""
    with registered(scene.node, party=("NL", "PTN"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        yield partner

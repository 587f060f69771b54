"""A node with two of each process that may be many loses one of each in the middle of a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.processes import free_port
from tests.journeys.conftest import make_node
from tests.journeys.nodes import SpreadNode, is_listening, wait_for
from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import Provider, limits_of, profile, registered

pytestmark = pytest.mark.services
ACCEPTED = {"result": "ACCEPTED", "timeout": 30}
DOUBLED = ["web", "worker", "gateway"]


class DoubledNode:
    """The Procfile's processes with beat, and a second web, worker and gateway on ports of their own."""

    def __init__(self, folder: Path) -> None:
        spread = make_node(
            folder, name="Many", country_code="NL", party_id="MNY", role="CPO", port=8450, redis_number=14
        )
        assert isinstance(spread, SpreadNode)
        self.spread = spread
        self.second_http_port = free_port(8650)
        self.second_ocpp_port = free_port(9650)

    def start(self) -> None:
        """Start all of it, and return when it serves."""
        self.spread.start()
        self.spread.launch("beat")
        second = {"PORT": str(self.second_http_port), "LISTEN": f"127.0.0.1:{self.second_ocpp_port}"}
        for process in DOUBLED:
            self.spread.launch(process, f"second {process}", **second)
        self.spread.ready()
        for port in (self.second_http_port, self.second_ocpp_port):
            wait_for(lambda port=port: is_listening(port), within_s=20, what=f"listening on {port}")  # type: ignore[misc]

    def lose_the_first_of_each(self) -> None:
        """End the first web, worker and gateway as if the power went."""
        for process in DOUBLED:
            self.spread.kill(process)

    def lead_to_second_web(self, provider: Provider) -> None:
        """Lead a provider's calls to the web that is left, as the address in front of both would."""
        first, second = f":{self.spread.http_port}/", f":{self.second_http_port}/"
        provider.endpoints = {key: url.replace(first, second) for key, url in provider.endpoints.items()}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[DoubledNode]:
    """A doubled node that serves."""
    node = DoubledNode(tmp_path)
    try:
        node.start()
        yield node
    finally:
        node.spread.stop()


def test_what_is_left_takes_over_the_charger_and_gives_each_result_once(node: DoubledNode) -> None:
    for port in (node.spread.http_port, node.second_http_port):
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["status"] == "ok"
    assert [name for name, one in node.spread.programs.items() if one.process.poll() is not None] == []
    node.spread.ask("charger", "add", "MANY-1")

    with registered(node.spread, "--may-steer", party=("DE", "MAN")) as provider:
        with ObedientStation(f"ws://127.0.0.1:{node.spread.ocpp_port}", "MANY-1") as station:
            station.boot()
            transaction = station.start(tag="MANY", at=at(-60))
            session = provider.told("MANY", within_s=5)["id"]
            with station.silent("SetChargingProfile"):
                answer, under_way = provider.put(session, profile(10))
                assert answer == ACCEPTED
                station.called("SetChargingProfile")
                node.lose_the_first_of_each()
        node.lead_to_second_web(provider)

        with ObedientStation(f"ws://127.0.0.1:{node.second_ocpp_port}", "MANY-1") as station:
            assert provider.result(under_way, within_s=15) == {"result": "ACCEPTED"}
            answer, new = provider.put(session, profile(8))
            assert answer == ACCEPTED
            assert provider.result(new, within_s=15) == {"result": "ACCEPTED"}
            assert [limits_of(one) for one in station.profiles(1)] == [[10], [8]]
            station.stop(transaction, at=at())
            wait_for(
                lambda: any(one.body.get("status") == "COMPLETED" for one in provider.updates(session)),
                within_s=15,
                what="the session's end being told",
            )

        assert [len(provider.peer.received("POST", path)) for path in (under_way, new)] == [1, 1]

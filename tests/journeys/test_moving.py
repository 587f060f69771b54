"""A charger in the middle of a session moves from one gateway to another that runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.processes import free_port
from tests.journeys.conftest import make_node
from tests.journeys.nodes import SpreadNode, is_listening, wait_for
from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import limits_of, profile, registered
from tests.station2 import Station2

pytestmark = pytest.mark.services
ACCEPTED = {"result": "ACCEPTED", "timeout": 30}
Obedient = ObedientStation | Station2


@dataclass(frozen=True)
class Gateways:
    """A node with two gateways, and where each listens."""

    node: SpreadNode
    first: str
    second: str


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    """Two gateways that serve."""
    folder: Path = tmp_path_factory.mktemp("moving")
    node = make_node(
        folder, name="Moving", country_code="NL", party_id="MOV", role="CPO", port=8770, redis_number=5
    )
    assert isinstance(node, SpreadNode)
    port = free_port(9680)
    try:
        node.start()
        node.launch("gateway", "second gateway", LISTEN=f"127.0.0.1:{port}")
        node.ready()
        wait_for(lambda: is_listening(port), within_s=20, what="the second gateway listening")
        yield Gateways(node, f"ws://127.0.0.1:{node.ocpp_port}", f"ws://127.0.0.1:{port}")
    finally:
        node.stop()


def connect(url: str, identity: str, version: str) -> Obedient:
    """Open a station's socket; it says nothing yet."""
    return ObedientStation(url, identity) if version == "1.6" else Station2(url, identity, version=version)


def begin(station: Obedient, tag: str) -> int | str:
    """Start charging; return the transaction."""
    station.boot()
    if isinstance(station, Station2):
        station.event("Started", "TX-1", tag=tag, meter_wh=100, chargingState="Charging")
        return "TX-1"
    return station.start(tag=tag, at=at(-60))


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_what_was_under_way_is_done_at_the_other_gateway_once(gateways: Gateways, version: str) -> None:
    identity = f"MOVING-{version}"
    gateways.node.ask("charger", "add", identity)
    with registered(gateways.node, "--may-steer", party=("DE", f"M{version[0]}{version[2]}")) as provider:
        first = connect(gateways.first, identity, version)
        transaction = begin(first, identity)
        session = provider.told(identity, within_s=5)["id"]
        first.replies["SetChargingProfile"] = None
        answer, under_way = provider.put(session, profile(10))
        assert answer == ACCEPTED
        first.called("SetChargingProfile")

        # The old socket is still open when the charger comes in by the other gateway, without a boot.
        with connect(gateways.second, identity, version) as second:
            assert provider.result(under_way, within_s=10) == {"result": "ACCEPTED"}
            wait_for(first.is_closed, within_s=10, what="the old socket being closed")
            answer, new = provider.put(session, profile(8))
            assert answer == ACCEPTED
            assert provider.result(new, within_s=10) == {"result": "ACCEPTED"}
            assert [sent["transactionId"] for sent in second.profiles(1)] == [transaction] * 2
            assert limits_of(provider.active(session, count=2)[-1].body) == [8]
            if isinstance(second, Station2):
                second.event("Ended", "TX-1", trigger="EVDeparted", meter_wh=900, stoppedReason="Local")
            else:
                assert isinstance(transaction, int)
                second.stop(transaction, at=at())
            wait_for(
                lambda: any(one.body.get("status") == "COMPLETED" for one in provider.updates(session)),
                within_s=10,
                what="the session's end being told",
            )
        assert [len(provider.peer.received("POST", path)) for path in (under_way, new)] == [1, 1]
        gateways.node.ask("partner", "unregister", str(provider.partner_id))

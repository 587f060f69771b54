"""Chargers of OCPP 2.0.1 and 2.1 on a live node: from the session to the provider's active profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.journeys.conftest import make_node
from tests.journeys.nodes import Node, Program
from tests.journeys.provider import Provider, limits_of, profile, registered
from tests.station2 import Station2


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with two chargers."""
    node = make_node(
        tmp_path_factory.mktemp("ocpp2"),
        name="Two",
        country_code="NL",
        party_id="OC2",
        role="CPO",
        port=8720,
        redis_number=4,
    )
    with ExitStack() as running:
        running.callback(node.stop)
        node.start()
        node.ready()
        for version in ("2.0.1", "2.1"):
            node.ask("charger", "add", f"TWO-{version}")
        yield node


@pytest.fixture(scope="module")
def provider(node: Node) -> Iterator[Provider]:
    """A provider that may steer."""
    with registered(node, "--may-steer", party=("DE", "PRO")) as provider:
        yield provider


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_profile_reaches_the_station_and_its_answer_the_provider(
    node: Node, provider: Provider, version: str
) -> None:
    url, identity = f"ws://127.0.0.1:{node.ocpp_port}", f"TWO-{version}"
    with Station2(url, identity, version=version) as station:
        station.boot()
        station.event("Started", "TX-1", tag=identity, meter_wh=100, chargingState="Charging")
        session = provider.told(identity)["id"]

        answer, path = provider.put(session, profile(10, 6))
        assert answer["result"] == "ACCEPTED"
        assert provider.result(path) == {"result": "ACCEPTED"}
        [sent] = station.profiles()
        assert sent["transactionId"] == "TX-1"
        assert [one["limit"] for one in sent["chargingSchedule"][0]["chargingSchedulePeriod"]] == [10, 6]
        assert limits_of(provider.active(session)[0].body) == [10, 6]

        # Something else limits the station: it says so, and the provider hears of it within 2 s.
        station.schedules[1]["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 7}]
        station.call("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1})
        assert limits_of(provider.active(session, count=2, within_s=2)[-1].body) == [7]

        asked, path = provider.get(session)
        assert asked["result"] == "ACCEPTED"
        assert limits_of(provider.result(path)["profile"]) == [7]
        _, path = provider.delete(session)
        assert provider.result(path) == {"result": "ACCEPTED"}
        assert limits_of(provider.active(session, count=3)[-1].body) == [32]
        _, path = provider.delete(session)
        assert provider.result(path) == {"result": "UNKNOWN"}

        # The socket is lost in the middle of a call: it is made again on the next one.
        station.replies["SetChargingProfile"] = None
        _, path = provider.put(session, profile(8))
        station.called("SetChargingProfile", times=2)
        station.cut()
    with Station2(url, identity, version=version) as again:
        assert provider.result(path) == {"result": "ACCEPTED"}
        again.event("Ended", "TX-1", trigger="EVDeparted", meter_wh=2100, stoppedReason="Local")
        ended = provider.peer.wait_for("*", f"/2.2.1/receiver/sessions/NL/OC2/{session}", count=2)
        assert ended[-1].body["status"] == "COMPLETED"


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_the_simulated_charger_speaks_it_too(node: Node, provider: Provider, version: str) -> None:
    identity, tag = f"SIM-{version}", f"SIM{version}"
    node.ask("charger", "add", identity)
    url = f"ws://127.0.0.1:{node.ocpp_port}"
    arguments = ["simulate_charger", identity, "--url", url, "--ocpp", version, "--id-tag", tag, "--json"]
    charger = Program(identity, arguments, node.environment)
    try:
        session = provider.told(tag, within_s=10)["id"]
        _, path = provider.put(session, profile(10))
        assert provider.result(path) == {"result": "ACCEPTED"}
        limit = charger.event("limit", within_s=5, what="the limit")
        assert (limit["limit"], limit["power_w"]) == (10, 6900)
        assert limits_of(provider.active(session)[0].body) == [10]
        _, path = provider.delete(session)
        assert provider.result(path) == {"result": "ACCEPTED"}
    finally:
        charger.stop()
    ended = provider.peer.wait_for("*", f"/2.2.1/receiver/sessions/NL/OC2/{session}", count=2, timeout_s=10)
    assert ended[-1].body["status"] == "COMPLETED"

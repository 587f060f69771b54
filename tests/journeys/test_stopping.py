"""An embedded node ends when it is told to, whatever its partners do, and goes on where it was."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.processes import Node
from tests.journeys.obedient import ObedientStation
from tests.journeys.provider import registered
from tests.waiting import wait_for

SESSIONS = 16
AT_SESSIONS = "/2.2.1/receiver/sessions"


@pytest.mark.parametrize("delay_s", [5, 60], ids=["a slow partner", "a partner that hangs"])
def test_ends_within_10_seconds_and_delivers_the_rest_after_the_next_start(
    tmp_path: Path, delay_s: int
) -> None:
    node = Node(name="Stopping", folder=tmp_path, country_code="NL", party_id="STP", role="CPO", port=8900)
    node.start()
    try:
        node.ready()
        node.ask("charger", "add", "STOP-1", "--evses", str(SESSIONS))
        with registered(node, "--may-steer", party=("DE", "SLO")) as provider:
            provider.peer.answer("PUT", AT_SESSIONS, delay=delay_s)
            with ObedientStation(f"ws://127.0.0.1:{node.ocpp_port}", "STOP-1") as station:
                station.boot()
                for connector in range(1, SESSIONS + 1):
                    station.start(connector=connector, tag=f"TAG{connector}")
                provider.peer.wait_for("PUT", AT_SESSIONS)

            began = time.monotonic()
            node.stop()

            assert time.monotonic() - began < 10
            assert node.program is not None
            assert node.program.process.returncode == 0
            provider.peer.answer("PUT", AT_SESSIONS)
            node.start()
            node.ready()
            told = {f"TAG{connector}" for connector in range(1, SESSIONS + 1)}
            wait_for(
                lambda: (
                    {one.body["cdr_token"]["uid"] for one in provider.peer.received("PUT", AT_SESSIONS)}
                    == told
                ),
                30,
            )
    finally:
        node.stop()

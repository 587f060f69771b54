"""The control loop: a provider's PUT, the frame at the charger, the result back at the provider."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.nodes import Node
from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import profile, registered

IDENTITY = "BENCH-1"
WARM_UP = 10


@dataclass
class Times:
    """Durations in milliseconds, one per loop."""

    answer_ms: list[float] = field(default_factory=list)
    frame_ms: list[float] = field(default_factory=list)
    result_ms: list[float] = field(default_factory=list)


class Stopwatch:
    """When the last frame reached the charger, and when the last result reached the provider."""

    def __init__(self) -> None:
        self.framed_at = 0.0
        self.returned_at = 0.0
        self.returned = threading.Event()

    def station(self, url: str) -> ObedientStation:
        """Return a station that notes when it was sent a profile."""
        watch = self

        class NotingStation(ObedientStation):
            """Notes the moment, then does as it is told."""

            def set_profile(self, request: dict[str, Any]) -> dict[str, Any]:
                """Take a profile."""
                watch.framed_at = time.perf_counter()
                return super().set_profile(request)

        return NotingStation(url, IDENTITY)

    def on_result(self, request: Any) -> dict[str, Any]:
        """Note the moment, and take the result."""
        self.returned_at = time.perf_counter()
        self.returned.set()
        return {"status_code": 1000, "timestamp": at()}


def measure(node: Node, *, loops: int) -> Times:
    """Run the loop so often, one after the other, and return how long each part took.

    `answer`: PUT sent to its answer; `frame`: PUT sent to the frame at the charger; `result`: that frame to
    the result's POST. All include HTTP and sockets on loopback.
    """
    watch, times = Stopwatch(), Times()
    node.ask("charger", "add", IDENTITY)
    with registered(node, "--may-steer", party=("DE", "BEN")) as provider:
        provider.peer.answer("POST", "/results", body=watch.on_result)
        with watch.station(f"ws://127.0.0.1:{node.ocpp_port}") as station:
            station.boot()
            station.start(connector=1, tag="BENCH", at=at())
            session_id = provider.told("BENCH", within_s=10)["id"]
            for number in range(WARM_UP + loops):
                watch.returned.clear()
                started_at = time.perf_counter()
                provider.put(session_id, profile(6 + number % 20))
                answered_at = time.perf_counter()
                if not watch.returned.wait(10):
                    raise RuntimeError("No result within 10 s.")
                if number >= WARM_UP:
                    times.answer_ms.append((answered_at - started_at) * 1000)
                    times.frame_ms.append((watch.framed_at - started_at) * 1000)
                    times.result_ms.append((watch.returned_at - watch.framed_at) * 1000)
    return times

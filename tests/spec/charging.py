"""A station of a section's own, so that sections share no outlets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.journeys.obedient import ObedientStation
from tests.journeys.provider import Scene
from tests.station import Reply


@contextmanager
def charging_at(scene: Scene, identity: str, *, evses: int) -> Iterator[Scene]:
    """Run a new station at a location of its own; the scene has it instead of the shared one."""
    scene.node.ask("charger", "add", identity, "--location", identity, "--evses", str(evses))
    with ObedientStation(scene.ocpp_url, identity) as station:
        station.boot()
        yield replace(scene, station=station, connectors=itertools.count(1), tag=f"{identity}-")


@contextmanager
def answering(station: ObedientStation, action: str, reply: Reply) -> Iterator[None]:
    """Let the station answer our calls of one action with something else."""
    truthful = station.replies[action]
    station.replies[action] = reply
    try:
        yield
    finally:
        station.replies[action] = truthful

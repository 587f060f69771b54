"""A gateway that runs, and chargers that may connect to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chargers.models import Charger
from tests.factories import make_charger
from tests.station import Station, running_gateway


@pytest.fixture
def gateway(transactional_db: None) -> Iterator[str]:
    """The address of a gateway over the test's database."""
    with running_gateway() as url:
        yield url


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    """A charger with one outlet and no password, not connected."""
    return make_charger(identity="CH1")


@pytest.fixture
def connect(gateway: str) -> Iterator[Callable[..., Station]]:
    """A function that connects a station, closed at the end of the test."""
    stations: list[Station] = []

    def connected(identity: str = "CH1", **fields: Any) -> Station:
        station = Station(gateway, identity, **fields)
        stations.append(station)
        return station

    yield connected
    for station in stations:
        station.close()

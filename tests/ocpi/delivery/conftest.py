"""A partner that is a real HTTP server, and no broker to help."""

from collections.abc import Iterator

import pytest

from ocpi.delivery import hints, kinds, sweeper
from tests.peer import Peer


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        yield server


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The hints that left, in order, instead of the broker that would get them."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(hints.publisher, "publish", lambda task, duty_id: sent.append((task, duty_id)))
    return sent


@pytest.fixture(autouse=True)
def own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds and sweeps that a test registers end with it, and those of the node stay out."""
    monkeypatch.setattr(kinds, "_renders", {})
    monkeypatch.setattr(kinds, "_needed_keys", {})
    monkeypatch.setattr(sweeper, "_sweeps", {})

"""Our node on a real socket, and a partner's platform beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from ocpi.partners.guesses import wrong_tokens
from tests.ocpi.partners.two_sides import ENDPOINTS, Node, Platform
from tests.peer import Peer

URLS = "tests.ocpi.partners.urls"


@pytest.fixture(autouse=True)
def _no_wrong_tokens_yet() -> Iterator[None]:
    """Every test starts with an address that has shown no wrong token."""
    wrong_tokens.clear()
    yield
    wrong_tokens.clear()


@pytest.fixture
def node(live_server: LiveServer, settings: Any) -> Node:
    """Our node, serving under its NODE_URL."""
    settings.ROOT_URLCONF = URLS
    settings.NODE_URL = live_server.url
    return Node(live_server.url)


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A partner's platform that offers 2.2.1."""
    with Peer() as peer:
        peer.publish(version="2.2.1", endpoints=ENDPOINTS)
        yield Platform(peer)

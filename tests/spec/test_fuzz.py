"""A live node under requests that make no sense: an envelope each time, and nothing is harmed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import assume, given

from tests.factories import CPO_ENDPOINTS, evse_document, location_document
from tests.fuzz.calls import calls
from tests.fuzz.settings import bounded
from tests.journeys.provider import Provider, Scene, registered
from tests.spec.endpoints import CREATED, Endpoint

# What Python's client itself adds or would have to obey.
NOT_OURS = {"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_HOST"}


@pytest.fixture(scope="module")
def sender(scene: Scene) -> Iterator[Provider]:
    """A partner that tells of locations NL/PTN's neighbour and of much else."""
    with registered(scene.node, party=("NL", "FUZ"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        yield partner


def exchange(address: str, call: dict[str, Any]) -> tuple[int, str, bytes]:
    """Send a request as it is; return the status, the content type and the body of the answer."""
    connection = http.client.HTTPConnection(address, timeout=10)
    target = quote(call["path"], safe="/%;'{}*\\~")
    query = quote(call["QUERY_STRING"].encode("latin-1"), safe="%&=/:?")
    connection.putrequest(call["method"], f"{target}?{query}" if query else target)
    for name, value in call.items():
        if name.startswith("HTTP_") and name not in NOT_OURS and value.isprintable():
            connection.putheader(name[5:].replace("_", "-"), value.encode("latin-1"))
    connection.putheader("Content-Type", call["content_type"].encode())
    connection.putheader("Content-Length", str(len(call["data"])))
    connection.endheaders(call["data"])
    answer = connection.getresponse()
    said = answer.status, answer.headers.get("Content-Type", ""), answer.read()
    connection.close()
    return said


def test_nonsense_is_answered_and_harms_nothing(sender: Provider) -> None:
    locations = Endpoint(sender, "locations", "RECEIVER")
    kept = location_document("KEPT", party_id="FUZ", evses=[evse_document("E1")])
    assert locations.put("/NL/FUZ/KEPT", kept) == CREATED
    address = urlsplit(sender.node.url).netloc

    @bounded(60)
    @given(calls([sender.token]))
    def holds(call: dict[str, Any]) -> None:
        # These are what they seem to be, and would end the partnership.
        assume("credentials" not in call["path"] or call["method"] != "DELETE")
        # The web server itself refuses what is no HTTP.
        assume(call["method"].isupper() and call["content_type"].isascii())
        status, content_type, body = exchange(address, call)
        assert status < 500, (call, body)
        if call["method"] != "HEAD" and status != 431:
            assert content_type == "application/json", (call, status, body)
            assert {"status_code", "timestamp"} <= json.loads(body).keys()

    holds()
    assert requests.get(f"{sender.node.url}/healthz", timeout=5).json() == {"status": "ok"}
    assert locations.data("/NL/FUZ/KEPT") == kept

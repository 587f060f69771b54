import base64
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpi.protocol.client import CallFailed, Reply, send
from ocpi.protocol.headers import Routing
from tests.peer import Peer, enveloped

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def call(url: str, method: str = "PUT", **options: Any) -> Reply:
    return send(**{"method": method, "url": url, "token": "T-1", "allowed_networks": LOOPBACK} | options)


def failure(url: str, **options: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        call(url, **options)
    return caught.value


def test_sends_token_ids_routing_and_json(peer: Peer) -> None:
    call(
        f"{peer.url}/sessions/NL/NOD/a%2Fb?x=1",
        body={"name": "é"},
        params={"date_from": "2026-01-01T00:00:00+00:00"},
        routing=Routing("DE", "SCS", "NL", "NOD"),
        correlation_id="correlation-1",
    )

    [request] = peer.requests
    assert (request.method, request.path) == ("PUT", "/sessions/NL/NOD/a%2Fb")
    assert request.query == {"x": "1", "date_from": "2026-01-01T00:00:00+00:00"}
    assert request.body == {"name": "é"}
    uuid.UUID(request.headers.pop("X-Request-ID"))
    assert dict(request.headers) == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": f"Token {base64.b64encode(b'T-1').decode()}",
        "Connection": "close",
        "Content-Length": "13",
        "Content-Type": "application/json",
        "Host": peer.url.removeprefix("http://"),
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "NOD",
        "OCPI-to-country-code": "DE",
        "OCPI-to-party-id": "SCS",
        "User-Agent": "ocpi-node",
        "X-Correlation-ID": "correlation-1",
    }


def test_sends_no_content_type_without_a_body_and_new_ids_each_time(peer: Peer) -> None:
    call(peer.url, "GET")
    call(peer.url, "GET", token=None)

    first, second = (request.headers for request in peer.requests)
    assert "Content-Type" not in first
    assert "Authorization" not in second
    ids = {headers[name] for headers in (first, second) for name in ("X-Request-ID", "X-Correlation-ID")}
    assert len({uuid.UUID(one) for one in ids}) == 4


def test_sends_the_token_raw_to_those_who_want_it_so(peer: Peer) -> None:
    call(peer.url, raw_token=True)

    assert peer.requests[0].headers["Authorization"] == "Token T-1"


def test_sends_a_form_and_other_headers_than_a_token(peer: Peer) -> None:
    peer.answer("POST", "/token", body={"access_token": "a", "expires_in": 60})

    reply = call(
        f"{peer.url}/token", "POST", token=None, form={"a": "1 2", "b": "é&"}, more_headers={"ApiKey": "k"}
    )

    [request] = peer.requests
    assert request.body == "a=1+2&b=%C3%A9%26"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (request.headers["ApiKey"], "Authorization" in request.headers) == ("k", False)
    assert (reply.data, reply.is_envelope) == ({"access_token": "a", "expires_in": 60}, False)


def test_returns_the_answer_whole(peer: Peer) -> None:
    peer.answer(
        "GET", "/x", body=enveloped([1, {"a": None}], status_message="fine"), headers={"X-Limit": "10"}
    )

    reply = call(f"{peer.url}/x", "GET")

    assert (reply.http_status, reply.status_code, reply.status_message) == (200, 1000, "fine")
    assert (reply.data, reply.is_envelope, reply.is_success) == ([1, {"a": None}], True, True)
    assert reply.headers["x-limit"] == "10"


@pytest.mark.parametrize(
    ("status", "body", "is_success", "status_code"),
    [
        (200, enveloped(), True, 1000),
        (201, enveloped(), True, 1000),
        (200, enveloped(status_code=1999), True, 1999),
        (200, enveloped(status_code="1000"), True, 1000),
        (200, enveloped(status_code=2001), False, 2001),
        (200, enveloped(status_code=3000), False, 3000),
        (200, enveloped(status_code="fine"), False, None),
        (200, enveloped(status_code=True), False, None),
        (404, enveloped(status_code=2003), False, 2003),
        (500, enveloped(), False, 1000),
        (302, enveloped(), False, 1000),
        (204, b"", True, None),
        (200, b"", True, None),
        (200, b"OK", True, None),
        (200, {"result": "ACCEPTED"}, True, None),
        (200, [], True, None),
        (401, b"<html>", False, None),
    ],
)
def test_takes_for_success_what_both_layers_call_so(
    peer: Peer, status: int, body: Any, is_success: bool, status_code: int | None
) -> None:
    peer.answer("*", "/", status=status, body=body)

    reply = call(peer.url)

    assert (reply.http_status, reply.is_success, reply.status_code) == (status, is_success, status_code)


def test_keeps_of_their_message_what_can_be_printed(peer: Peer) -> None:
    peer.answer("*", "/", body=enveloped(status_message="a\r\nb\x1b" + "c" * 1000))

    reply = call(peer.url)

    assert reply.status_message == "a  b " + "c" * 251


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_no_redirect(peer: Peer, status: int) -> None:
    peer.answer("*", "/", status=status, headers={"Location": f"{peer.url}/elsewhere"})

    reply = call(f"{peer.url}/x", "POST", body={})

    assert (reply.http_status, reply.is_success) == (status, False)
    assert [request.path for request in peer.requests] == ["/x"]


def test_reads_neither_netrc_nor_proxy_settings(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    reply = call(peer.url)

    assert reply.is_success
    assert peer.requests[0].headers["Authorization"].startswith("Token ")


def test_resolves_a_name_and_names_it_as_host(peer: Peer) -> None:
    reply = call(f"http://ocpi.example.com:{peer.port}/x", resolver=lambda host: ["127.0.0.1"])

    assert reply.is_success
    assert peer.requests[0].headers["Host"] == f"ocpi.example.com:{peer.port}"


def test_says_when_nobody_listens() -> None:
    with Peer() as gone:
        pass

    assert failure(gone.url).reason == "unreachable"


def test_tells_nobody_the_token_or_the_query(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    secret = uuid.uuid4().hex
    peer.answer("*", "/broken", headers={"X-A": "1\r\nbroken"})

    with caplog.at_level(logging.DEBUG):
        reply = call(f"{peer.url}/broken?a={secret}", token=secret, params={"b": secret})
    with pytest.raises(CallFailed) as caught:
        call(f"{peer.url.replace('http', 'https')}/x?a={secret}", token=secret)
    logging.getLogger("tests").error("failed", exc_info=caught.value)

    assert peer.requests[0].query == {"a": secret, "b": secret}
    assert secret not in repr(reply) + str(caught.value) + caplog.text


def test_reads_long_lists_but_no_other_long_answers(peer: Peer) -> None:
    peer.answer("*", "/", data=["a" * 1000] * 1000)

    assert len(call(peer.url, "GET").data) == 1000
    assert failure(peer.url).reason == "too_large"

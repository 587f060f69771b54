import base64
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocpi.protocol.client import LARGEST_ANSWER, CallFailed, Reply, send
from ocpi.protocol.headers import Routing
from tests.peer import PORTS, Peer, enveloped

LOOPBACK = ["127.0.0.0/8"]
DEADLINE_S = 0.3
OK = b'{"status_code":1000,"timestamp":"2026-01-15T12:00:00Z"}'


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


def test_fails_without_naming_the_token_or_the_query(peer: Peer) -> None:
    error = failure(f"{peer.url}/x?secret=1#", token="T-secret")

    assert "secret" not in str(error)
    assert str(error) == "forbidden_address: must not have a fragment"


@contextmanager
def raw_server(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Run `serve` on one connection, after its request was read."""
    stopping = threading.Event()
    with socket.socket() as listener:
        for port in PORTS:
            try:
                listener.bind(("127.0.0.1", port))
                break
            except OSError:
                continue
        listener.listen()

        def run() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    serve(connection, stopping)
            except OSError:
                pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/x"
        stopping.set()
        thread.join(5)


def _drip(head: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        while not stopping.wait(0.02):
            connection.sendall(b"a")

    return serve


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_ends_a_dripping_answer_at_the_deadline(head: bytes) -> None:
    with raw_server(_drip(head)) as url:
        started = time.monotonic()
        error = failure(url, deadline_s=DEADLINE_S)
        took_s = time.monotonic() - started

    assert error.reason == "timeout"
    assert took_s < DEADLINE_S + 1


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]
)
def test_ends_a_silent_answer_at_the_deadline(head: bytes) -> None:
    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        stopping.wait(5)

    with raw_server(serve) as url:
        assert failure(url, deadline_s=DEADLINE_S).reason == "timeout"


def test_ends_a_resolver_that_hangs_at_the_deadline() -> None:
    released = threading.Event()

    error = failure(
        "https://slow.example/", deadline_s=DEADLINE_S, resolver=lambda host: [str(released.wait(5))]
    )

    released.set()
    assert error.reason == "unreachable"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n37\r\n" + OK[:20],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(OK) + OK + b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + OK[:20],
    ],
)
def test_takes_an_answer_that_broke_off_for_none(answer: bytes) -> None:
    with raw_server(lambda connection, stopping: connection.sendall(answer)) as url:
        assert failure(url).reason == "broken_answer"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK) + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(OK) + OK + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + OK,
    ],
)
def test_takes_a_whole_answer_in_any_framing(answer: bytes) -> None:
    with raw_server(lambda connection, stopping: connection.sendall(answer)) as url:
        assert call(url).status_code == 1000


def test_reads_no_more_of_an_endless_answer_than_the_cap() -> None:
    sent = 0

    def serve(connection: socket.socket, stopping: threading.Event) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stopping.is_set():
            sent += connection.send(b"a" * 1024)

    with raw_server(serve) as url:
        error = failure(url)

    assert error.reason == "too_large"
    assert sent < 100 * LARGEST_ANSWER


def test_reads_long_lists_but_no_other_long_answers(peer: Peer) -> None:
    peer.answer("*", "/", data=["a" * 1000] * 1000)

    assert len(call(peer.url, "GET").data) == 1000
    assert failure(peer.url).reason == "too_large"

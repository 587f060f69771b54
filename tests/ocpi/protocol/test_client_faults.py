"""Platforms that drip, fall silent, die in the middle or never end, over real sockets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ocpi.protocol.client import LARGEST_ANSWER, CallFailed, Reply, send
from tests.ports import free_port

DEADLINE_S = 0.3
OK = b'{"status_code":1000,"timestamp":"2026-01-15T12:00:00Z"}'


def call(url: str, **options: Any) -> Reply:
    return send(method="PUT", url=url, token="T-1", allowed_networks=["127.0.0.0/8"], **options)


def failure(url: str, **options: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        call(url, **options)
    return caught.value


@contextmanager
def raw_server(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Run `serve` on one connection, after its request was read."""
    stopping = threading.Event()
    with socket.socket() as listener:
        port = free_port()
        listener.bind(("127.0.0.1", port))
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

"""Bodies of unknown length, over a real server."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cheroot.wsgi import Server
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.protocol.envelope import success
from ocpi.protocol.views import OcpiView
from tests.ports import free_port

pytestmark = pytest.mark.urls(__name__)


class EchoView(OcpiView):
    authentication_classes = []

    def put(self, request: Request) -> Response:
        return success(request.data)


urlpatterns = [path("echo", EchoView.as_view())]


@pytest.fixture
def port() -> Iterator[int]:
    port = free_port()
    server = Server(("127.0.0.1", port), WSGIHandler(), numthreads=1)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield port
    server.stop()
    thread.join()


def put_chunked(port: int, *chunks: bytes) -> tuple[int, Any]:
    return put_framed(port, b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""]))


def put_framed(port: int, framed: bytes) -> tuple[int, Any]:
    head = b"PUT /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(head + framed)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head:
        body = body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    return int(head.split()[1]), json.loads(body)


def test_reads_a_body_that_comes_in_chunks(port: int) -> None:
    status, envelope = put_chunked(port, b'{"id": ', b"1}")

    assert (status, envelope["data"]) == (200, {"id": 1})


def test_refuses_chunks_without_end(port: int) -> None:
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 4

    status, envelope = put_chunked(port, *[b" " * size] * 5)

    assert (status, envelope["status_code"]) == (413, 2000)


def test_refuses_chunks_that_are_none(port: int) -> None:
    status, envelope = put_framed(port, b"ZZ\r\n")

    assert (status, envelope["status_code"], envelope["status_message"]) == (
        400,
        2001,
        "The body's chunks can't be read.",
    )

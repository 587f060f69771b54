import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ocpi.protocol.client import CallFailed, Reply, send
from tests.ports import free_port

NAME = "ocpi.example.com"


def _certificate(name: str, key: Any, issuer: str, issuer_key: Any, *extensions: Any) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(path: Path, *parts: Any) -> Path:
    with path.open("wb") as file:
        for part in parts:
            if isinstance(part, x509.Certificate):
                file.write(part.public_bytes(serialization.Encoding.PEM))
            else:
                file.write(
                    part.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    )
                )
    return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the files of our own certificate authority, and of a key and certificate for NAME."""
    folder = tmp_path_factory.mktemp("tls")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    basic = x509.BasicConstraints(ca=True, path_length=None)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = _certificate("Test CA", ca_key, "Test CA", ca_key, basic, identifier)
    names = x509.SubjectAlternativeName([x509.DNSName(NAME)])
    certificate = _certificate(NAME, key, "Test CA", ca_key, names)
    return _pem(folder / "ca.pem", ca), _pem(folder / "server.pem", key, certificate)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])  # type: ignore[attr-defined]
        body = b'{"status_code":1000}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(HTTPServer):
    def __init__(self, port: int, certificate: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.hosts: list[str] = []
        self.server_names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A refused certificate ends the handshake."""


@pytest.fixture
def server(authority: tuple[Path, Path]) -> Iterator[_Server]:
    running = _Server(free_port(), authority[1])
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def call(server: _Server, *, host: str = NAME, ca_file: Path | None) -> Reply:
    return send(
        method="GET",
        url=f"https://{host}:{server.server_address[1]}/x",
        token="T-1",
        allowed_networks=["127.0.0.0/8"],
        resolver=lambda _: ["127.0.0.1"],
        ca_file=str(ca_file) if ca_file else None,
    )


def test_checks_the_certificate_against_the_name_at_the_checked_address(
    server: _Server, authority: tuple[Path, Path]
) -> None:
    reply = call(server, ca_file=authority[0])

    assert reply.is_success
    assert server.server_names == [NAME]
    assert server.hosts == [f"{NAME}:{server.server_address[1]}"]


def test_refuses_a_certificate_for_another_name(server: _Server, authority: tuple[Path, Path]) -> None:
    with pytest.raises(CallFailed) as caught:
        call(server, host="other.example.com", ca_file=authority[0])

    assert (caught.value.reason, caught.value.detail) == ("tls", "The certificate is for another name.")
    assert server.hosts == []


def test_refuses_a_certificate_of_an_unknown_authority(server: _Server) -> None:
    with pytest.raises(CallFailed) as caught:
        call(server, ca_file=None)

    assert (caught.value.reason, caught.value.detail) == ("tls", "The certificate is not trusted.")
    assert server.hosts == []

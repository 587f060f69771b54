"""OCPI 2.2.1 transport_and_format: tokens, content types, lists and what is not available."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.processes import StepFailed
from tests.factories import CPO_ENDPOINTS, location_document, session_document
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider, Scene, profile, registered
from tests.peer import Peer, Recorded
from tests.spec.answers import said, status

THEIRS = {"country_code": "BE", "party_id": "TRA"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class RawPeer(Peer):
    """A platform that reads the token without Base64 only."""

    def _respond(self, request: Recorded) -> Any:
        if request.headers["Authorization"] != "Token token-of-RAW":
            return 401, b"{}", {}
        return super()._respond(request)


@pytest.fixture(scope="module")
def owner(node: Node) -> Iterator[Provider]:
    """A CPO of this section's own."""
    with registered(node, party=("BE", "TRA"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        yield partner


def test_every_request_of_ours_carries_the_partners_token_and_calls_json_by_its_name(
    scene: Scene, owner: Provider
) -> None:
    session, _, _ = scene.session()
    _, path = scene.provider.put(session, profile(9))
    scene.provider.result(path)
    scene.provider.active(session)

    for partner in (scene.provider, owner):
        assert len(partner.peer.requests) >= 2
        for request in partner.peer.requests:
            assert request.headers["Authorization"] == f"Token {encoded(f'token-of-{partner.party[1]}')}"
            has_body = "Content-Length" in request.headers and request.headers["Content-Length"] != "0"
            assert request.headers.get("Content-Type") == ("application/json" if has_body else None)
    assert {"GET", "PUT", "POST"} <= {request.method for request in scene.provider.peer.requests}


def test_a_token_is_read_in_base64_and_as_it_is(provider: Provider) -> None:
    for header in (f"Token {encoded(provider.token)}", f"Token {provider.token}"):
        answer = provider.ask("GET", provider.credentials_url, headers={"Authorization": header})

        assert answer.json()["data"]["token"] == provider.token


def test_a_partner_that_reads_raw_tokens_gets_them(node: Node) -> None:
    with RawPeer() as peer:
        partner = Provider(node, peer, party=("BE", "RAW"))
        invitation = node.ask("partner", "invite", "--name", "RAW")
        partner.register(invitation["token"])
        tries = [one.headers["Authorization"] for one in peer.requests]
        peer.requests.clear()

        ended = node.ask("partner", "unregister", str(invitation["partner"]))

    assert tries[:2] == [f"Token {encoded('token-of-RAW')}", "Token token-of-RAW"]
    assert ended["confirmed"]
    assert [(one.method, one.headers["Authorization"]) for one in peer.requests] == [
        ("DELETE", "Token token-of-RAW")
    ]


def test_a_token_opens_only_what_is_its_partners(owner: Provider, provider: Provider) -> None:
    address = f"{owner.endpoints['sessions', 'RECEIVER']}/BE/TRA/T4"
    assert status(owner.ask("PUT", address, json=session_document("T4", **THEIRS))) == (201, 1000)

    assert status(provider.ask("GET", address)) == (404, 2001)
    assert status(provider.ask("PUT", address, json=session_document("T4", kwh=9, **THEIRS))) == (404, 2001)
    assert owner.ask("GET", address).json()["data"] == session_document("T4", **THEIRS)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token",
        "Token ",
        "Token xxx",
        "Token !!!===",
        "Bearer {}",
        "{}",
        "Token {}, Token {}",
        f"Token {encoded('unknown')}",
    ],
)
def test_a_missing_unknown_or_garbled_token_gets_401(provider: Provider, header: str | None) -> None:
    value = header and header.replace("{}", encoded(provider.token))

    answer = provider.ask("GET", provider.endpoints["sessions", "SENDER"], headers={"Authorization": value})

    assert said(answer) == (401, {"status_code": 2000})
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_token_a_opens_versions_and_credentials_only(node: Node, provider: Provider) -> None:
    invitation = node.ask("partner", "invite", "--name", "T6")
    headers = {"Authorization": f"Token {encoded(invitation['token'])}"}
    versions = [invitation["versions_url"], f"{node.url}/ocpi/2.2.1", provider.credentials_url]

    assert [provider.ask("GET", url, headers=headers).status_code for url in versions] == [200] * 3
    assert status(provider.ask("POST", provider.credentials_url, headers=headers, json={})) == (200, 2001)
    functional = [
        "sender/locations", "sender/sessions", "receiver/locations/NL/PTN/1", "receiver/sessions/NL/PTN/1",
        "receiver/chargingprofiles/1", "sender/chargingprofiles/1",
    ]  # fmt: skip
    answers = [provider.ask("GET", f"{node.url}/ocpi/2.2.1/{path}", headers=headers) for path in functional]
    assert [status(answer) for answer in answers] == [(401, 2000)] * 6


def _self_signed(folder: Path) -> Path:
    """Return the file of a key and a certificate for 127.0.0.1 that nobody vouches for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "self-signed.pem"
    path.write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(pem))
    return path


def test_a_server_whose_certificate_nobody_vouches_for_is_not_called(node: Node, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))
    with Peer() as peer:
        peer._server.socket = context.wrap_socket(peer._server.socket, server_side=True)
        url = f"https://127.0.0.1:{peer.port}/versions"

        with pytest.raises(StepFailed, match="certificate is not trusted"):
            node.ask("partner", "register", "--name", "T7", "--versions-url", url, "--token", "token-a")

    assert peer.requests == []


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_a_body_may_name_its_charset(owner: Provider, content_type: str) -> None:
    answer = owner.ask(
        "PUT",
        f"{owner.endpoints['locations', 'RECEIVER']}/BE/TRA/T8",
        headers={"Content-Type": content_type},
        json=location_document("T8", **THEIRS, name="Łódź"),
    )

    assert answer.json()["status_code"] == 1000
    stored = owner.ask("GET", f"{owner.endpoints['locations', 'RECEIVER']}/BE/TRA/T8")
    assert stored.json()["data"]["name"] == "Łódź"


@pytest.mark.parametrize(
    ("method", "path", "body", "http_status"),
    [
        ("GET", "/ocpi/versions", None, 200),
        ("GET", "/ocpi/2.2.1/sender/sessions", None, 200),
        ("PUT", "/ocpi/2.2.1/receiver/sessions/BE/TRA/T9", b"{", 400),
        ("PUT", "/ocpi/2.2.1/receiver/sessions/BE/TRA/T9", b"{}", 200),
        ("GET", "/ocpi/2.2.1/receiver/sessions/BE/TRA/NOPE", None, 404),
        ("GET", "/ocpi/2.2.1/nothing", None, 404),
        ("GET", "/nothing", None, 404),
        ("TRACE", "/ocpi/2.2.1/sender/sessions", None, 405),
        ("DELETE", "/ocpi/versions", None, 405),
        ("PUT", "/ocpi/2.2.1/receiver/sessions/BE/TRA/T9", b'"' + b"a" * 1024 * 1024 + b'"', 413),
    ],
)
def test_every_answer_is_json_whatever_the_caller_accepts(
    owner: Provider, method: str, path: str, body: bytes | None, http_status: int
) -> None:
    answer = owner.ask(method, f"{owner.node.url}{path}", data=body, headers={"Accept": "text/html"})

    assert said(answer)[0] == http_status


def test_the_good_objects_of_a_list_are_kept_when_others_are_broken(owner: Provider) -> None:
    good = [location_document(f"T12-{number}", **THEIRS) for number in (1, 3)]
    broken = location_document("T12-2", **THEIRS)
    del broken["coordinates"]
    owner.peer.answer("GET", "/2.2.1/sender/locations", data=[good[0], broken, "nonsense", good[1]])

    pulled = owner.node.ask("partner", "pull", str(owner.partner_id), "--module", "locations")

    assert (pulled["locations"], pulled["refused"]) == (2, 2)
    kept = [f"{owner.endpoints['locations', 'RECEIVER']}/BE/TRA/T12-{number}" for number in (1, 2, 3)]
    assert [status(owner.ask("GET", url)) for url in kept] == [(200, 1000), (404, 2003), (200, 1000)]


def test_a_list_can_be_read_by_a_partner_that_takes_no_pushes(owner: Provider) -> None:
    answer = owner.ask("GET", owner.endpoints["locations", "SENDER"])

    assert "SPEC" in [one["id"] for one in answer.json()["data"]]
    assert owner.peer.received("*", "/2.2.1/receiver") == []


def test_a_reservation_may_lack_its_evse_and_connector(owner: Provider) -> None:
    document = session_document("T13", **THEIRS, status="RESERVATION", evse_uid="#NA", connector_id="#NA")
    address = f"{owner.endpoints['sessions', 'RECEIVER']}/BE/TRA/T13"

    assert status(owner.ask("PUT", address, json=document)) == (201, 1000)
    assert said(owner.ask("GET", address)) == (200, {"data": document, "status_code": 1000})

"""Who is let in, before and at the websocket handshake."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from chargers import door
from chargers.models import Charger
from chargers.passwords import hash_password, is_password
from tests.factories import make_charger
from tests.station import Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]
KEY = "0123456789abcdef0123456789abcdef01234567"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0" * 16).decode(),
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


@pytest.fixture(autouse=True)
def no_guesses() -> Iterator[None]:
    """Forget the wrong passwords of other tests."""
    door.wrong_passwords.clear()
    yield
    door.wrong_passwords.clear()


@pytest.fixture
def guarded(transactional_db: None) -> Charger:
    """A charger with a password."""
    return make_charger(identity="CH1", password_hash=hash_password("a good password"))


def handshake(url: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    """Ask for a websocket; returns (HTTP status, headers)."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path, headers=UPGRADE | headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders())
    finally:
        connection.close()


def basic(user: str, password: str) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["/NOBODY", "/", "/ch1", "/CH1/more", "/%ff", "/CH1%00", "/" + "x" * 300])
def test_knows_only_chargers_by_their_exact_name(gateway: str, charger: Charger, path: str) -> None:
    assert handshake(gateway, path)[0] == 404


def test_lets_a_charger_without_a_password_come_as_it_is(gateway: str, charger: Charger) -> None:
    assert handshake(gateway, "/CH1")[0] == 101
    assert handshake(gateway, "/CH1", Authorization=basic("CH1", "any"))[0] == 101


def test_finds_a_name_that_is_escaped_in_the_address(gateway: str, transactional_db: None) -> None:
    make_charger(identity="NL*ABC*1")

    assert handshake(gateway, "/NL%2AABC%2A1")[0] == 101


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": basic("CH1", "a bad password")},
        {"Authorization": basic("CH2", "a good password")},
        {"Authorization": basic("ch1", "a good password")},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Token " + base64.b64encode(b"CH1:a good password").decode()},
        {"Authorization": "Basic " + "A" * 4000},
    ],
    ids=["none", "wrong", "another's name", "name in other case", "unreadable", "other scheme", "endless"],
)
def test_refuses_before_the_upgrade_without_the_right_password(
    gateway: str, guarded: Charger, headers: dict[str, str]
) -> None:
    status, answered = handshake(gateway, "/CH1", **headers)

    assert status == 401
    assert answered["WWW-Authenticate"] == 'Basic realm="chargers"'


def test_never_refuses_the_right_password(gateway: str, guarded: Charger, connect: Connect) -> None:
    wrong = {"Authorization": basic("CH1", "a guess")}

    statuses = [handshake(gateway, "/CH1", **wrong)[0] for _ in range(22)]

    assert statuses == [401] * 20 + [429] * 2
    assert int(handshake(gateway, "/CH1", **wrong)[1]["Retry-After"]) > 0
    assert connect(password="a good password").call("Heartbeat")


def test_counts_guesses_per_charger_and_minute(transactional_db: None, guarded: Charger) -> None:
    now = timezone.now()

    def guess(identity: str, address: str, *, after_s: int = 0) -> int:
        with pytest.raises(door.Refused) as refused:
            door.admit(
                path=f"/{identity}",
                authorizations=[basic(identity, "wrong")],
                address=address,
                now=now + timedelta(seconds=after_s),
            )
        return refused.value.status

    assert {guess("CH1", "10.0.0.1") for _ in range(20)} == {401}
    assert guess("CH1", "10.0.0.1") == 429
    assert guess("CH1", "10.0.0.2") == 401
    assert guess("CH1", "10.0.0.1", after_s=61) == 401


def test_counts_guesses_per_64_of_ipv6(transactional_db: None, guarded: Charger) -> None:
    def guess(address: str) -> int:
        with pytest.raises(door.Refused) as refused:
            door.admit(
                path="/CH1", authorizations=[basic("CH1", "wrong")], address=address, now=timezone.now()
            )
        return refused.value.status

    assert {guess(f"2001:db8::{number}") for number in range(20)} == {401}
    assert guess("2001:db8::20") == 429
    assert guess("2001:db8:0:1::1") == 401


@pytest.mark.parametrize(
    ("configured", "presented", "fits"),
    [
        (KEY, KEY.encode(), True),
        (KEY, bytes.fromhex(KEY), True),
        (KEY.upper(), KEY.encode(), True),
        ("a good password", b"a good password", True),
        ("a good password", b"a good password".hex().encode(), True),
        ("a good password", b"A good password", False),
        ("a good password", b"", False),
        (KEY, KEY[:-2].encode(), False),
    ],
    ids=["digits", "bytes", "case of digits", "text", "text as digits", "other case", "empty", "shorter"],
)
def test_takes_a_key_as_bytes_and_as_digits(configured: str, presented: bytes, fits: bool) -> None:
    kept = hash_password(configured)

    assert is_password(presented, kept) is fits
    assert configured not in kept


def test_keeps_nothing_of_a_broken_hash() -> None:
    assert not is_password(b"", "")
    assert not is_password(b"x", "pbkdf2-sha256$x$y$z")


@pytest.mark.parametrize("offered", [(), ("ocpp2.0",), ("ocpp1.5", "soap")])
def test_closes_after_the_handshake_without_a_common_subprotocol(
    charger: Charger, connect: Connect, offered: tuple[str, ...]
) -> None:
    station = connect(subprotocols=offered)

    assert station.socket.subprotocol is None
    wait_for(station.is_closed)
    assert station.socket.close_code == 1002
    charger.refresh_from_db()
    assert charger.epoch == 0


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp1.6", "ocpp2.1", "ocpp2.0.1"), "ocpp2.1"),
        (("ocpp1.5", "ocpp1.6"), "ocpp1.6"),
    ],
)
def test_speaks_the_best_version_that_both_know(
    charger: Charger, connect: Connect, offered: tuple[str, ...], chosen: str
) -> None:
    station = connect(subprotocols=offered)

    assert station.socket.subprotocol == chosen
    assert station.socket.protocol.extensions == []


def test_serves_others_while_somebody_guesses(gateway: str, guarded: Charger, connect: Connect) -> None:
    good = connect(password="a good password")

    with pytest.raises(InvalidStatus):
        connect(password="bad")

    assert good.call("Heartbeat")


def wrong_frames() -> list[Any]:
    """Frames that are not OCPP."""
    return [
        "hello",
        b"\x00\x01",
        {"a": 1},
        [2],
        [2, "1", "Heartbeat"],
        [3, "nobody", {}],
        [4, "nobody"],
        [3, 1],
    ]


def test_survives_frames_that_are_not_ocpp(charger: Charger, connect: Connect) -> None:
    station = connect()

    for frame in wrong_frames():
        station.send(frame)

    assert station.call("Heartbeat")
    assert [frame[:3] for frame in station.received if frame[0] == 4] == [
        [4, "-1", "FormationViolation"],
        [4, "-1", "FormationViolation"],
        [4, "-1", "FormationViolation"],
        [4, "-1", "FormationViolation"],
        [4, "1", "FormationViolation"],
    ]


def test_takes_frames_up_to_a_mebibyte(charger: Charger, connect: Connect) -> None:
    station = connect()
    data = "x" * (2**20 - 200)

    assert station.call("DataTransfer", {"vendorId": "Acme", "data": data}) == {"status": "UnknownVendorId"}
    station.send([2, "2", "DataTransfer", {"vendorId": "Acme", "data": data + "x" * 300}])
    wait_for(station.is_closed)
    assert station.socket.close_code == 1009


def test_answers_every_message_of_a_flood(charger: Charger, connect: Connect) -> None:
    station = connect()

    for number in range(150):
        station.send([2, f"flood-{number}", "Heartbeat", {}])

    assert station.answer_to("flood-149", within_s=10)[0] == 3
    assert [frame[0] for frame in station.received] == [3] * 150

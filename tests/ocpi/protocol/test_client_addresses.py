"""No call may connect to an address inside: every case ends before a TCP connect."""

import contextlib
import socket
from collections.abc import Iterator, Sequence

import pytest

from ocpi.protocol.client import CallFailed, send
from tests.peer import Peer

PUBLIC = "93.184.216.34"
LITERALS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "localhost.",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "%31%32%37.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[100::1]",
    "[example.com]",
]
URLS = [
    *(f"https://{host}:{{port}}/x" for host in LITERALS),
    *(f"http://{host}:{{port}}/x" for host in LITERALS),
    *(f"https://ocpi.example.com:{port}/" for port in (0, 22, 25, 5432, 6379, 99999, -1)),
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}/",
    "javascript:alert(1)",
    "//127.0.0.1:{port}/",
    "///127.0.0.1:{port}/",
    "/x",
    "",
    "https:",
    "https://",
    "https:///x",
    "https:/127.0.0.1:{port}/",
    r"http:/\127.0.0.1:{port}/",
    r"https://ocpi.example.com\@127.0.0.1:{port}/",
    "https://user@ocpi.example.com/",
    "https://user:password@ocpi.example.com/",
    "https://@ocpi.example.com/",
    "https://ocpi.example.com/#fragment",
    "https://ocpi.example.com/a/../b",
    "https://ocpi.example.com/\r\nX-Evil: 1",
    "https://ocpi.example.com/?a=\nb",
    "https://ocpi.example.com/a\tb",
    "https://ocpi.example.com/a b",
    "https://ocpi.ex\tample.com/",
    "https://ocpi%2eexample.com/",
    "https://-ocpi.example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://ocpi.example.com/" + "a" * 8_000,
    "http://ocpi.example.com/",
]
NAMES: list[list[str]] = [
    ["127.0.0.1"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["::1"],
    ["fd00::1"],
    ["fe80::1%eth0"],
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    [PUBLIC, "::ffff:10.0.0.1"],
    ["not an address"],
]


class Trap:
    """Records every TCP connect of the process instead of making it, and every look-up."""

    def __init__(self, answers: Sequence[Sequence[str]]) -> None:
        self.connects: list[tuple[str, int]] = []
        self.lookups: list[str] = []
        self.answers = list(answers)

    def resolver(self, host: str) -> Sequence[str]:
        self.lookups.append(host)
        return self.answers[min(len(self.lookups), len(self.answers)) - 1]

    def connect(self, address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        self.connects.append(address)
        raise ConnectionRefusedError


@contextlib.contextmanager
def trapped(monkeypatch: pytest.MonkeyPatch, answers: Sequence[Sequence[str]]) -> Iterator[Trap]:
    trap = Trap(answers)
    monkeypatch.setattr(socket, "create_connection", trap.connect)
    yield trap


def failure(url: str, trap: Trap, allowed_networks: Sequence[str] = ()) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        send(
            method="POST",
            url=url,
            token="secret",
            body={},
            allowed_networks=allowed_networks,
            resolver=trap.resolver,
        )
    return caught.value


@pytest.mark.parametrize("url", URLS)
def test_connects_to_nothing_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer() as listening, trapped(monkeypatch, [[PUBLIC]]) as trap:
        error = failure(url.replace("{port}", str(listening.port)), trap)

    assert error.reason == "forbidden_address"
    assert (trap.connects, trap.lookups, listening.requests) == ([], [], [])


@pytest.mark.parametrize("addresses", NAMES)
def test_connects_to_nothing_when_any_address_of_a_name_is_inside(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with trapped(monkeypatch, [addresses]) as trap:
        error = failure("https://ocpi.example.com/x", trap)

    assert error.reason == "forbidden_address"
    assert (trap.connects, trap.lookups) == ([], ["ocpi.example.com"])


def test_connects_to_the_address_it_checked_when_the_name_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    with trapped(monkeypatch, [[PUBLIC], ["127.0.0.1"]]) as trap:
        error = failure("https://ocpi.example.com/x", trap)

    assert error.reason == "unreachable"
    assert (trap.connects, trap.lookups) == ([(PUBLIC, 443)], ["ocpi.example.com"])


def test_sends_http_into_allowed_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with trapped(monkeypatch, [[PUBLIC]]) as trap:
        error = failure("http://ocpi.example.com/x", trap, ["127.0.0.0/8"])

    assert error.reason == "forbidden_address"
    assert trap.connects == []


@pytest.mark.parametrize("failing", [[], ["slow"]])
def test_names_an_unknown_host_unreachable(failing: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with trapped(monkeypatch, [[]]) as trap:
        error = failure("https://nowhere.example/x", trap)

    assert (error.reason, trap.connects) == ("unreachable", [])

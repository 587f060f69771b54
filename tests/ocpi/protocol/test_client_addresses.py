"""No call may connect to an address inside: every case ends before a TCP connect."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ocpi.protocol.client import CallFailed, send

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
    *(f"https://{host}:25000/x" for host in LITERALS),
    *(f"http://{host}:25000/x" for host in LITERALS),
    *(f"https://ocpi.example.com:{port}/" for port in (0, 22, 25, 5432, 6379, 99999, -1)),
    "file:///etc/passwd",
    "gopher://127.0.0.1:25000/",
    "ftp://127.0.0.1:25000/",
    "dict://127.0.0.1:25000/",
    "ws://127.0.0.1:25000/",
    "javascript:alert(1)",
    "//127.0.0.1:25000/",
    "///127.0.0.1:25000/",
    "/x",
    "",
    "https:",
    "https://",
    "https:///x",
    "https:/127.0.0.1:25000/",
    r"http:/\127.0.0.1:25000/",
    r"https://ocpi.example.com\@127.0.0.1:25000/",
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
    """Stops every TCP connect of the process and records it, as it does every look-up."""

    def __init__(self) -> None:
        self.connects: list[tuple[str, int]] = []
        self.lookups: list[str] = []
        self.answers: list[list[str]] = [[PUBLIC]]

    def resolver(self, host: str) -> Sequence[str]:
        self.lookups.append(host)
        return self.answers[min(len(self.lookups), len(self.answers)) - 1]


_armed: list[Trap] = []


def _stop_connect(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _armed:
        _armed[-1].connects.append(arguments[1][:2])
        raise ConnectionRefusedError


# An audit hook sees a connect whichever library makes it; it can't be removed, only disarmed.
sys.addaudithook(_stop_connect)


@pytest.fixture
def trap() -> Iterator[Trap]:
    _armed.append(Trap())
    yield _armed[-1]
    _armed.clear()


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
def test_connects_to_nothing_for(url: str, trap: Trap) -> None:
    error = failure(url, trap)

    assert error.reason == "forbidden_address"
    assert (trap.connects, trap.lookups) == ([], [])


@pytest.mark.parametrize("addresses", NAMES)
def test_connects_to_nothing_when_any_address_of_a_name_is_inside(addresses: list[str], trap: Trap) -> None:
    trap.answers = [addresses]

    error = failure("https://ocpi.example.com/x", trap)

    assert error.reason == "forbidden_address"
    assert (trap.connects, trap.lookups) == ([], ["ocpi.example.com"])


def test_connects_to_the_address_it_checked_when_the_name_changes(trap: Trap) -> None:
    trap.answers = [[PUBLIC], ["127.0.0.1"]]

    error = failure("https://ocpi.example.com/x", trap)

    assert error.reason == "unreachable"
    assert (trap.connects, trap.lookups) == ([(PUBLIC, 443)], ["ocpi.example.com"])


def test_tries_each_address_of_a_name(trap: Trap) -> None:
    trap.answers = [[PUBLIC, "2606:2800:220:1::1"]]

    failure("https://ocpi.example.com:8443/x", trap)

    assert trap.connects == [(PUBLIC, 8443), ("2606:2800:220:1::1", 8443)]


def test_sends_http_into_allowed_networks_only(trap: Trap) -> None:
    error = failure("http://ocpi.example.com/x", trap, ["127.0.0.0/8"])

    assert error.reason == "forbidden_address"
    assert trap.connects == []


def test_names_an_unknown_host_unreachable(trap: Trap) -> None:
    trap.answers = [[]]

    error = failure("https://nowhere.example/x", trap)

    assert (error.reason, trap.connects) == ("unreachable", [])

from datetime import timedelta

import pytest

from ocpi.partners import guesses
from ocpi.partners.guesses import GuessLimit, address_behind
from tests.factories import NOW


def counted(limit: GuessLimit, address: str, times: int, now=NOW) -> list[int]:
    return [limit.count(address, now=now) for _ in range(times)]


def test_lets_an_address_guess_up_to_its_limit_and_then_wait():
    limit = GuessLimit(most=3)

    assert counted(limit, "192.0.2.1", 4) == [0, 0, 0, 60]
    assert limit.count("192.0.2.1", now=NOW + timedelta(seconds=20)) == 40
    assert limit.count("192.0.2.2", now=NOW) == 0


def test_starts_again_after_a_minute():
    limit = GuessLimit(most=1)
    counted(limit, "192.0.2.1", 2)

    assert limit.count("192.0.2.1", now=NOW + timedelta(seconds=60)) == 0


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_counts_ipv6_per_64(first, second, share):
    limit = GuessLimit(most=1)
    limit.count(first, now=NOW)

    assert bool(limit.count(second, now=NOW)) is share


def test_counts_apart_per_key_and_still_per_64():
    limit = GuessLimit(most=1)
    limit.count("2001:db8::1", key="CH1", now=NOW)

    assert limit.count("2001:db8::2", key="CH1", now=NOW) == 60
    assert limit.count("2001:db8::1", key="CH2", now=NOW) == 0
    assert limit.count("2001:db8::1", now=NOW) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7,192.0.2.1 , unknown,", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7, 192.0.2.1:4711", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7, [2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "198.51.100.7, [2001:db8::1]", "2001:db8::1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown, _hidden, 192.0.2.1:port, 999.0.0.1", "127.0.0.1"),
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.1", "10.0.0.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_takes_the_address_that_our_own_proxy_saw(peer, forwarded_for, address):
    assert address_behind(peer, forwarded_for=forwarded_for) == address


def test_remembers_a_bounded_number_of_addresses(monkeypatch):
    monkeypatch.setattr(guesses, "MOST_ADDRESSES", 3)
    limit = GuessLimit(most=1)

    for number in range(20):
        limit.count(f"192.0.2.{number}", now=NOW)

    assert len(limit._counts) == 3

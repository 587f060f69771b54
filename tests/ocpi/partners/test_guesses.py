from datetime import timedelta

import pytest

from ocpi.partners import guesses
from ocpi.partners.guesses import WrongTokens
from tests.factories import NOW


def counted(limit: WrongTokens, address: str, times: int, now=NOW) -> list[int]:
    return [limit.count(address, now=now) for _ in range(times)]


def test_lets_an_address_guess_up_to_its_limit_and_then_wait():
    limit = WrongTokens(most=3)

    assert counted(limit, "192.0.2.1", 4) == [0, 0, 0, 60]
    assert limit.count("192.0.2.1", now=NOW + timedelta(seconds=20)) == 40
    assert limit.count("192.0.2.2", now=NOW) == 0


def test_starts_again_after_a_minute():
    limit = WrongTokens(most=1)
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
    limit = WrongTokens(most=1)
    limit.count(first, now=NOW)

    assert bool(limit.count(second, now=NOW)) is share


def test_remembers_a_bounded_number_of_addresses(monkeypatch):
    monkeypatch.setattr(guesses, "MOST_ADDRESSES", 3)
    limit = WrongTokens(most=1)

    for number in range(20):
        limit.count(f"192.0.2.{number}", now=NOW)

    assert len(limit._counts) == 3

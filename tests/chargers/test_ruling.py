"""What a charger is sent when several limit it, and when a window is renewed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chargers.capabilities import Capabilities, Place
from chargers.ruling import ruling
from chargers.schedule import Period, Schedule, Unit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def place(most_periods: int | None = None) -> Place:
    told = Capabilities(units=frozenset(Unit), max_periods=most_periods)
    return Place(1, voltage_v=230, phases=3, max_current_a=32, is_dc=False, capabilities=told)


def schedule(
    *limits: int, step_s: int = 600, starts_at: datetime = NOON, duration_s: int | None = None
) -> Schedule:
    periods = tuple(Period(step_s * n, Decimal(limit)) for n, limit in enumerate(limits))
    return Schedule(starts_at, Unit.AMPERE, periods, duration_s)


@pytest.mark.parametrize(
    ("most", "limits", "step_s", "sent", "renew_after_s"),
    [
        (None, (16, 10, 8, 12), 600, [16, 10, 8, 12], None),
        (4, (16, 10, 8, 12), 600, [16, 10, 8, 12], None),
        (3, (16, 10, 8, 12), 600, [16, 10, 8], 1140),
        (3, (16, 10, 8, 12), 30, [16, 10, 8], 30),
        (2, (16, 10, 8, 12), 600, [16, 8], 600),
        (2, (16, 10, 10, 10), 600, [16, 10], None),
        (1, (16, 10, 8, 12), 600, [8], 600),
        (2, (16, 10, 8, 12), 5, [16, 8], 10),
        (1, (16, 10, 8, 12), 1, [8], 10),
    ],
    ids=["no cap", "fits", "three", "short steps", "two", "merged fits", "one", "soon", "at once"],
)
def test_cuts_to_what_the_charger_takes_and_says_when_to_renew(
    most: int | None, limits: tuple[int, ...], step_s: int, sent: list[int], renew_after_s: int | None
) -> None:
    ruled = ruling(place(most), [schedule(*limits, step_s=step_s)], now=NOON)

    assert ruled is not None
    assert [period.limit for period in ruled.schedule.periods] == sent
    expected = None if renew_after_s is None else NOON + timedelta(seconds=renew_after_s)
    assert ruled.renew_at == expected


@pytest.mark.parametrize(
    ("most", "windows"),
    [(1, [[8], [8], [8], [12]]), (2, [[16, 8], [10, 8], [8, 12]]), (3, [[16, 10, 8], [10, 8, 12]])],
)
def test_each_renewal_goes_on_until_the_whole_was_sent(most: int, windows: list[list[int]]) -> None:
    whole, now, sent = schedule(16, 10, 8, 12, duration_s=2400), NOON, []
    while True:
        ruled = ruling(place(most), [whole], now=now)
        assert ruled is not None
        sent.append([int(period.limit) for period in ruled.schedule.periods])
        if ruled.renew_at is None:
            break
        assert ruled.renew_at > now
        now = ruled.renew_at

    assert sent == windows


def test_rules_nothing_when_all_are_over() -> None:
    past = schedule(16, starts_at=NOON - timedelta(hours=2), duration_s=60)

    assert ruling(place(), [past], now=NOON) is None

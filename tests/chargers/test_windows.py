"""A schedule of more periods than a charger takes: it gets a window, and the next before that ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Charger, Command, Outlet
from tests.chargers.owed import ACCEPTED, CLEAR, SET, owe_clear, owe_limit, sent_limits, settled
from tests.station import Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


@pytest.fixture
def short(charger: Charger) -> Charger:
    """A charger that takes two periods."""
    configuration = {"ChargingScheduleMaxPeriods": "2", "ChargingScheduleAllowedChargingRateUnit": "Current"}
    Charger.objects.update(configuration=configuration, configuration_at=timezone.now())
    return charger


def renewals() -> list[Command]:
    return list(Command.objects.filter(kind=Command.Kind.RESTORE).order_by("id"))


def make_due(command: Command) -> None:
    """Let the moment of a renewal be now; the gateway looks every second."""
    Command.objects.filter(pk=command.pk).update(not_before=timezone.now())


def test_sends_the_next_window_before_the_last_period_begins(short: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()

    settled(owe_limit(number, 16, 10, 8, 12))

    assert sent_limits(station.called(SET)[3]) == [16, 8]
    [renewal] = renewals()
    wait_s = (renewal.not_before - timezone.now()).total_seconds()
    assert 590 < wait_s <= 600
    make_due(renewal)
    assert sent_limits(station.called(SET, times=2)[3]) == [16, 8]
    # Time has not moved, so the window is the same, and the next renewal is owed.
    wait_for(lambda: len(renewals()) == 2)
    assert renewals()[0].outcome == "ACCEPTED"


def test_a_newer_limit_ends_the_renewal_of_the_older(short: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16, 10, 8, 12))

    settled(owe_limit(number, 9))

    assert [renewal.state for renewal in renewals()] == ["CANCELLED"]


def test_clearing_and_the_end_of_charging_end_the_renewal(short: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16, 10, 8, 12))
    settled(owe_clear(number))
    assert [renewal.state for renewal in renewals()] == ["CANCELLED"]

    settled(owe_limit(number, 16, 10, 8, 12))
    station.stop(number)
    assert [renewal.state for renewal in renewals()] == ["CANCELLED", "CANCELLED"]


def test_a_charger_that_was_away_gets_its_window_when_it_comes_back(short: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16, 10, 8, 12))
    station.close()
    wait_for(lambda: Charger.objects.get().gateway_id is None)
    [renewal] = renewals()
    past = timezone.now() - timedelta(seconds=1)
    Command.objects.filter(pk=renewal.pk).update(not_before=past, deadline_at=past)
    wait_for(lambda: Outlet.objects.get().needs_restore)

    again = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})

    assert sent_limits(again.called(SET)[3]) == [16, 8]


def test_a_late_answer_to_a_renewal_still_owes_the_next(short: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16, 10, 8, 12))
    station.replies[SET] = None
    [renewal] = renewals()
    soon = timezone.now()
    Command.objects.filter(pk=renewal.pk).update(not_before=soon, deadline_at=soon + timedelta(seconds=1))
    frame = station.called(SET, times=2)
    wait_for(lambda: renewals()[0].state == "NO_ANSWER")

    station.send([3, frame[1], ACCEPTED])

    wait_for(lambda: len(renewals()) == 2)
    assert not Outlet.objects.get().needs_restore

"""The life of a command, from the wish to the charger's answer, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chargers import connection, queue
from chargers.commands import cancel, effective, has_limit
from chargers.models import Charger, Command, Outlet, Transaction
from chargers.schedule import Unit
from chargers.settlement import command_settled, give_up_overdue
from tests.chargers.owed import (
    ACCEPTED,
    AMPS_16,
    CLEAR,
    READ,
    SET,
    limits,
    owe_clear,
    owe_limit,
    owe_reading,
    schedule,
    sent_limits,
    settled,
)
from tests.station import Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


@pytest.fixture
def told() -> Iterator[list[tuple[str, str, str]]]:
    """What the signal tells: (kind, state, outcome), in order."""
    events: list[tuple[str, str, str]] = []

    def listen(*, command: Command, **_: Any) -> None:
        events.append((command.kind, command.state, command.outcome))

    command_settled.connect(listen)
    yield events
    command_settled.disconnect(listen)


@pytest.fixture
def station(charger: Charger, connect: Connect) -> Station:
    """A connected station that accepts everything."""
    return connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED, READ: AMPS_16})


def test_sends_a_limit_as_a_profile_of_the_transaction(station: Station) -> None:
    number = station.start()
    starts_at = timezone.now().replace(microsecond=0)

    command = owe_limit(number, 16, 8.5, starts_at=starts_at, duration_s=1800)

    assert settled(command) == ("ANSWERED", "ACCEPTED")
    assert station.called(SET)[3] == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "transactionId": number,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "duration": 1800,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 16},
                    {"startPeriod": 600, "limit": 8.5},
                ],
            },
        },
    }
    assert Transaction.objects.get().was_limited
    assert has_limit(Transaction.objects.get(), "partner:1")
    assert Charger.objects.get().takes_profiles is True


def test_reads_the_answers_to_commands_however_many_there_are(
    charger: Charger, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second message that nobody asked for would be read a quarter of an hour later.
    monkeypatch.setattr(connection, "BURST", 1)
    monkeypatch.setattr(connection, "FRAMES_PER_S", 0.001)
    station = connect(replies={SET: ACCEPTED})
    number = station.start()

    for limit in (10, 11, 12):
        assert settled(owe_limit(number, limit)) == ("ANSWERED", "ACCEPTED")


def test_sends_amps_where_nothing_is_known_of_the_charger(station: Station) -> None:
    number = station.start()

    settled(owe_limit(number, 11000, unit=Unit.WATT))

    assert sent_limits(station.called(SET)[3]) == [15.9]


def test_sends_the_unit_that_the_charger_named(charger: Charger, connect: Connect) -> None:
    named = {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Power"}
    station = connect(replies={SET: ACCEPTED, "GetConfiguration": {"configurationKey": [named]}})
    station.boot()
    wait_for(lambda: Charger.objects.get().configuration_at)

    settled(owe_limit(station.start(), 10))

    profile = station.called(SET)[3]["csChargingProfiles"]
    assert profile["chargingSchedule"]["chargingRateUnit"] == "W"
    assert sent_limits(station.called(SET)[3]) == [6900]


def test_lets_the_lowest_limit_of_all_sources_rule(station: Station) -> None:
    number = station.start()

    settled(owe_limit(number, 10, 20, source="partner:1"))
    settled(owe_limit(number, 16, source="partner:2"))

    assert sent_limits(station.called(SET, times=2)[3]) == [10, 16]
    assert limits(number) == {"partner:1": [10, 20], "partner:2": [16]}
    ruling = effective(Transaction.objects.get(), timezone.now())
    assert ruling is not None
    assert [float(period.limit) for period in ruling.periods] == [10, 16]


def test_clears_one_source_and_keeps_the_others(station: Station) -> None:
    number = station.start()
    settled(owe_limit(number, 10, source="partner:1"))
    settled(owe_limit(number, 16, source="partner:2"))

    first = settled(owe_clear(number, source="partner:1"))
    second = settled(owe_clear(number, source="partner:2"))

    assert first == second == ("ANSWERED", "ACCEPTED")
    assert sent_limits(station.called(SET, times=3)[3]) == [16]
    assert station.called(CLEAR)[3] == {"id": 1}
    assert limits(number) == {}


def test_rejects_a_limit_that_is_over_without_sending_it(station: Station) -> None:
    number = station.start()

    command = owe_limit(number, 10, starts_at=timezone.now() - timedelta(hours=2), duration_s=600)

    assert settled(command) == ("ANSWERED", "REJECTED")
    assert [frame[2] for frame in station.calls if frame[2] == SET] == []


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        (SET, [3, {"status": "Accepted"}], "ACCEPTED"),
        (SET, [3, {"status": " accepted", "more": 1}], "ACCEPTED"),
        (SET, [3, {"status": "Rejected"}], "REJECTED"),
        (SET, [3, {"status": "NotSupported"}], "NOT_SUPPORTED"),
        (SET, [3, {"status": "Unknown"}], "REJECTED"),
        (SET, [3, {}], "REJECTED"),
        (SET, [3, "Accepted"], "REJECTED"),
        (SET, [4, "NotImplemented", "", {}], "NOT_SUPPORTED"),
        (SET, [4, "NotSupported", "", {}], "NOT_SUPPORTED"),
        (SET, [4, "PropertyConstraintViolation", "stackLevel", {}], "REJECTED"),
        (SET, [4], "REJECTED"),
        (CLEAR, [3, {"status": "Unknown"}], "UNKNOWN"),
        (CLEAR, [4, "GenericError", "", {}], "REJECTED"),
        (READ, [3, AMPS_16], "ACCEPTED"),
        (READ, [3, {"status": "Accepted"}], "UNKNOWN"),
        (READ, [3, {"status": "Rejected"}], "REJECTED"),
        (READ, [4, "NotImplemented", "", {}], "NOT_SUPPORTED"),
    ],
)
def test_understands_what_chargers_answer(
    charger: Charger, connect: Connect, kind: str, answer: list[Any], expected: str
) -> None:
    station = connect(replies={SET: None, CLEAR: None, READ: None})
    number = station.start()
    owe = {SET: lambda: owe_limit(number, 10), CLEAR: lambda: owe_clear(number)}
    command = owe.get(kind, lambda: owe_reading(number))()

    message_id = station.called(kind)[1]
    station.send([answer[0], message_id, *answer[1:]])

    assert settled(command) == ("ANSWERED", expected)
    charger.refresh_from_db()
    fields = {"takes_profiles": kind == SET, "reads_schedules": kind == READ}
    for name, is_asked in fields.items():
        shown = {"NOT_SUPPORTED": False, "ACCEPTED": True}.get(expected) if is_asked else None
        assert getattr(charger, name) is shown


def test_reads_the_schedule_in_force(station: Station) -> None:
    command = owe_reading(station.start(), duration_s=900)

    assert settled(command) == ("ANSWERED", "ACCEPTED")
    assert station.called(READ)[3] == {"connectorId": 1, "duration": 900}
    assert command.told_schedule is not None
    assert command.told_schedule["periods"] == [{"start_s": 0, "limit": 16}]


def test_has_one_unanswered_call_at_a_time_in_order(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: None, READ: None})
    number = station.start()

    limit, reading = owe_limit(number, 10), owe_reading(number)
    message_id = station.called(SET)[1]

    # Its own calls are answered meanwhile, and ours wait.
    assert station.call("Heartbeat")
    assert [frame[2] for frame in station.calls] == [SET]
    station.send([3, message_id, ACCEPTED])
    assert station.called(READ)
    limit.refresh_from_db()
    reading.refresh_from_db()
    assert (limit.state, reading.state) == ("ANSWERED", "SENT")


def test_replaces_what_was_not_sent_yet(
    charger: Charger, connect: Connect, told: list[tuple[str, str, str]]
) -> None:
    number = connect().start()
    connect(identity="CH1").close()
    wait_for(lambda: Charger.objects.get().gateway_id is None)

    older, other, newer = owe_limit(number, 10), owe_limit(number, 8, source="other"), owe_limit(number, 12)

    states = [Command.objects.get(pk=command.pk).state for command in (older, other, newer)]
    assert states == ["CANCELLED", "QUEUED", "QUEUED"]
    assert told == [("SET_LIMIT", "CANCELLED", "")]
    assert cancel(newer.pk, now=timezone.now())
    assert not cancel(newer.pk, now=timezone.now())


def test_tells_of_silence_once(charger: Charger, connect: Connect, told: list[tuple[str, str, str]]) -> None:
    station = connect(replies={SET: None})
    number = station.start()

    command = owe_limit(number, 10, within_s=0.5)

    assert settled(command) == ("NO_ANSWER", "")
    give_up_overdue(timezone.now())
    assert told == [("SET_LIMIT", "NO_ANSWER", "")]
    assert Outlet.objects.get().needs_restore


def test_gives_up_what_was_never_sent(charger: Charger, connect: Connect) -> None:
    number = connect().start()
    connect(identity="CH1").close()
    wait_for(lambda: Charger.objects.get().gateway_id is None)

    command = owe_limit(number, 10, within_s=0.2)

    assert settled(command) == ("NO_ANSWER", "")
    assert not Outlet.objects.get().needs_restore


def test_cancels_what_waits_when_the_transaction_ends(
    charger: Charger, connect: Connect, told: list[tuple[str, str, str]]
) -> None:
    station = connect(replies={SET: None, CLEAR: None})
    number = station.start()
    sent, waiting = owe_limit(number, 10), owe_reading(number)
    message_id = station.called(SET)[1]

    station.stop(number)
    assert told == [("READ_SCHEDULE", "CANCELLED", "")]
    station.send([3, message_id, ACCEPTED])

    assert settled(waiting) == ("CANCELLED", "")
    assert settled(sent) == ("ANSWERED", "ACCEPTED")
    # Nothing stays behind for the next driver.
    assert station.called(CLEAR)[3] == {"id": 1}
    assert limits(number) == {}
    # Until the station answers, it is asked again at each sign of life.
    assert Outlet.objects.get().needs_restore


def test_does_not_let_a_silent_reading_hold_up_a_limit(
    charger: Charger, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "READ_PATIENCE", timedelta(seconds=0.3))
    station = connect(replies={READ: None, SET: ACCEPTED})
    number = station.start()

    reading, limit = owe_reading(number, within_s=60), owe_limit(number, 10)

    assert settled(reading) == ("NO_ANSWER", "")
    assert settled(limit) == ("ANSWERED", "ACCEPTED")


def test_coalesces_signs_of_change(station: Station) -> None:
    number = station.start()

    sign = owe_reading(number, duration_s=3600, delay_s=30)
    again = owe_reading(number, duration_s=3600, delay_s=30)
    short = owe_reading(number, duration_s=60)
    wanted = owe_reading(number, duration_s=3600)

    assert sign.pk == again.pk == wanted.pk != short.pk
    assert settled(wanted) == settled(short) == ("ANSWERED", "ACCEPTED")
    assert len([frame for frame in station.calls if frame[2] == READ]) == 2


def test_never_sends_more_than_a_station_can_read(station: Station) -> None:
    number = station.start()
    many = schedule(*[n % 32 + 0.5 for n in range(1000)], step_s=60)

    command = owe_limit(number, *[float(period.limit) for period in many.periods], step_s=60)

    assert settled(command) == ("ANSWERED", "ACCEPTED")
    frame = station.called(SET)
    assert len(str(frame)) < 16 * 1024
    assert sent_limits(frame[3])[-1] == 0.5

"""Lost, doubled and late: what holds when sockets and gateways come and go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from chargers import outlets, owing, ownership
from chargers.commands import is_connected
from chargers.models import Charger, Command, Gateway, Outlet
from chargers.owing import restore
from locations.models import Evse
from ocpi.delivery import sweeper
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
    sent_limits,
    settled,
)
from tests.station import Station, running_gateway
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


def connected() -> bool:
    """Tell whether the one charger counts as connected."""
    return is_connected(Charger.objects.get(), now=timezone.now())


def test_counts_as_connected_while_its_socket_is_open(charger: Charger, connect: Connect) -> None:
    assert not connected()

    station = connect()
    wait_for(connected)
    station.cut()

    wait_for(lambda: not connected())
    assert Charger.objects.get().epoch == 1


def test_gives_the_charger_to_the_newest_socket(charger: Charger, connect: Connect) -> None:
    old = connect(replies={SET: ACCEPTED})
    number = old.start()

    new = connect(replies={SET: ACCEPTED})

    wait_for(old.is_closed)
    assert old.socket.close_code == 1008
    assert settled(owe_limit(number, 10)) == ("ANSWERED", "ACCEPTED")
    assert new.called(SET)
    assert connected()
    assert Evse.objects.get().status == "CHARGING"


def test_gives_the_charger_to_the_newest_socket_at_any_gateway(
    charger: Charger, connect: Connect, gateway: str
) -> None:
    old = connect()
    number = old.start()

    with running_gateway() as other, Station(other, "CH1", replies={SET: ACCEPTED}) as new:
        wait_for(old.is_closed)
        assert settled(owe_limit(number, 10)) == ("ANSWERED", "ACCEPTED")
        assert new.called(SET)


def test_refuses_writes_of_older_connections(charger: Charger) -> None:
    now = timezone.now()
    gateway_id = ownership.open_gateway(port=9000, now=now)
    first = ownership.take(charger, gateway_id=gateway_id, version="1.6", now=now)
    second = ownership.take(charger, gateway_id=gateway_id, version="1.6", now=now)

    assert not ownership.release(charger, epoch=first, now=now)
    assert is_connected(charger, now=now)
    assert ownership.release(charger, epoch=second, now=now)
    assert not is_connected(charger, now=now)


def test_sends_again_after_a_lost_socket(charger: Charger, connect: Connect) -> None:
    silent = connect(replies={SET: None})
    command = owe_limit(silent.start(), 10)
    first_id = silent.called(SET)[1]

    silent.cut()
    again = connect(replies={SET: ACCEPTED})

    assert settled(command) == ("ANSWERED", "ACCEPTED")
    assert again.called(SET)[1] != first_id
    assert command.sends == 2


def test_gives_up_after_the_second_lost_socket(charger: Charger, connect: Connect) -> None:
    silent = connect(replies={SET: None})
    command = owe_limit(silent.start(), 10)
    silent.called(SET)
    silent.cut()
    again = connect(replies={SET: None})
    again.called(SET)
    again.cut()

    assert settled(command) == ("NO_ANSWER", "")
    assert Outlet.objects.get().needs_restore


def test_undoes_a_limit_that_was_accepted_too_late(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16))
    station.replies[SET] = None
    late = owe_limit(number, 10, within_s=0.3)
    assert settled(late) == ("NO_ANSWER", "")
    station.replies[SET] = ACCEPTED

    station.send([3, station.called(SET, times=2)[1], ACCEPTED])

    # Back to what was accepted before.
    assert sent_limits(station.called(SET, times=3)[3]) == [16]
    restoring = Command.objects.get(kind="RESTORE")
    assert settled(restoring) == ("ANSWERED", "ACCEPTED")
    late.refresh_from_db()
    assert (late.state, late.outcome, late.answer) == ("NO_ANSWER", "", ACCEPTED)
    assert limits(number) == {"partner:1": [16]}
    assert not Outlet.objects.get().needs_restore


def test_clears_what_was_accepted_too_late_where_nothing_was_before(
    charger: Charger, connect: Connect
) -> None:
    station = connect(replies={SET: None, CLEAR: ACCEPTED})
    settled(owe_limit(station.start(), 10, within_s=0.3))

    station.send([3, station.called(SET)[1], ACCEPTED])

    assert station.called(CLEAR)[3] == {"id": 1}


def test_asks_again_when_a_charger_refuses_to_go_back(
    charger: Charger, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owing, "RESTORE_AGAIN_S", 0.1)
    refusals = iter([{"status": "Rejected"}, {"status": "Rejected"}])
    station = connect(replies={SET: None, CLEAR: lambda _: next(refusals, ACCEPTED)})
    settled(owe_limit(station.start(), 10, within_s=0.3))

    station.send([3, station.called(SET)[1], ACCEPTED])

    assert station.called(CLEAR, times=3)
    wait_for(lambda: not Outlet.objects.get().needs_restore)


def test_goes_back_before_anything_else(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED, READ: None, CLEAR: ACCEPTED})
    number = station.start()
    reading = owe_reading(number)
    station.called(READ)
    owe_limit(number, 10)
    restore(Outlet.objects.get(), now=timezone.now())

    station.send([3, station.called(READ)[1], AMPS_16])

    assert settled(reading) == ("ANSWERED", "ACCEPTED")
    station.called(SET)
    assert [frame[2] for frame in station.calls if frame[2] in (SET, CLEAR)] == [CLEAR, SET]


def test_leaves_a_charger_alone_that_refused_too_late(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: None})
    settled(owe_limit(station.start(), 10, within_s=0.3))

    station.send([3, station.called(SET)[1], {"status": "Rejected"}])

    wait_for(lambda: not Outlet.objects.get().needs_restore)
    assert not Command.objects.filter(kind="RESTORE").exists()


def test_restores_the_limits_after_a_reconnect(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 16))
    station.replies[CLEAR] = None
    settled(owe_clear(number, within_s=0.3))
    station.cut()

    again = connect(replies={SET: ACCEPTED, READ: AMPS_16})

    assert sent_limits(again.called(SET)[3]) == [16]
    wait_for(lambda: not Outlet.objects.get().needs_restore)


def test_restores_the_limits_when_the_charger_speaks_again(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: None, READ: AMPS_16, CLEAR: ACCEPTED})
    number = station.start()
    settled(owe_limit(number, 10, within_s=0.3))

    settled(owe_reading(number))

    assert station.called(CLEAR)[3] == {"id": 1}


def test_frees_the_chargers_of_a_gateway_that_died(charger: Charger) -> None:
    now = timezone.now()
    gateway_id = ownership.open_gateway(port=9000, now=now)
    ownership.take(charger, gateway_id=gateway_id, version="1.6", now=now)
    later = now + timedelta(seconds=10)

    assert not is_connected(charger, now=later)
    sweeper.sweep_once(later)

    assert not Gateway.objects.exists()
    assert Evse.objects.get().status == "AVAILABLE"
    # Chargers come back by themselves; one that does not is unknown.
    sweeper.sweep_once(later + timedelta(seconds=30))
    assert Evse.objects.get().status == "UNKNOWN"
    # The gateway was only slow: it must begin anew.
    assert not ownership.beat(gateway_id, port=9000, now=later)


def test_shows_a_charger_that_is_back_already_as_it_is(charger: Charger) -> None:
    now = timezone.now()
    gateway_id = ownership.open_gateway(port=9000, now=now)
    ownership.take(charger, gateway_id=gateway_id, version="1.6", now=now)

    # The end of the socket before is noted late.
    outlets.show_unknown(charger, now=now)

    assert Evse.objects.get().status == "AVAILABLE"


def test_queues_again_what_a_dead_gateway_had_sent(charger: Charger, connect: Connect) -> None:
    station = connect(replies={SET: None})
    number = station.start()
    station.close()
    command = owe_limit(number, 10)
    Command.objects.filter(pk=command.pk).update(state="SENT", message_id="lost", epoch=0, sends=1)

    connect(replies={SET: ACCEPTED})

    assert settled(command) == ("ANSWERED", "ACCEPTED")


def test_stops_cleanly_with_chargers_connected(charger: Charger) -> None:
    with running_gateway() as url:
        station = Station(url, "CH1")
        assert station.call("Heartbeat")

    wait_for(station.is_closed)
    assert station.socket.close_code == 1012
    assert not connected()
    assert not Gateway.objects.exists()
    station.close()


def test_says_why_it_can_not_listen(gateway: str, transactional_db: None) -> None:
    port = int(gateway.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"), running_gateway(port):
        pass

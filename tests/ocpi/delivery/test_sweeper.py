"""The sweeper: everything gets delivered without any broker, and nobody's trouble stops the rest."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django import db
from django.utils import timezone

from ocpi.delivery import duties, sweeper
from ocpi.delivery.kinds import Message, register_push
from ocpi.delivery.models import Duty, Push, Result
from ocpi.partners.models import Partner
from tests.factories import NOW, make_partner
from tests.peer import Peer, Recorded, enveloped
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def owe_results(partner: Partner, url: str, count: int, now: datetime = NOW) -> None:
    for number in range(count):
        duties.owe_result(
            partner=partner,
            request_key=f"{partner.pk}-{number}",
            subject="",
            url=f"{url}/results/{number}",
            body={"number": number},
            correlation_id="",
            expires_at=now + timedelta(seconds=270),
            now=now,
        )


def owe_pushes(partner: Partner, count: int, now: datetime = NOW) -> None:
    register_push("session", lambda _, key, __: Message("PUT", "sessions", "RECEIVER", (key,), {}))
    for number in range(count):
        duties.owe_push(partner=partner, kind="session", object_key=f"S{number}", now=now)


@contextmanager
def running() -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=sweeper.run, args=[stop, 0.05])
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_delivers_all_that_is_due_once(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    owe_results(partner, peer.url, 6)
    owe_pushes(partner, 5)

    assert sweeper.sweep_once(NOW) == 11
    assert sweeper.sweep_once(NOW) == 0

    assert len(peer.requests) == 11
    assert not Result.objects.exclude(state=Duty.State.DONE).exists()
    assert not Push.objects.exclude(state=Duty.State.DONE).exists()


def test_leaves_what_is_not_due_yet(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    owe_pushes(partner, 1, now=NOW + timedelta(seconds=1))

    assert sweeper.sweep_once(NOW) == 0
    assert sweeper.sweep_once(NOW + timedelta(seconds=1)) == 1


def test_takes_over_what_a_dead_deliverer_held(peer: Peer) -> None:
    owe_results(make_partner(url=peer.url), peer.url, 1)
    Result.objects.update(state=Duty.State.LEASED, lease_until=NOW, attempts=1, crashes=1)

    assert sweeper.sweep_once(NOW + timedelta(milliseconds=1)) == 1
    assert Result.objects.get().state == Duty.State.DONE


def test_sends_a_result_before_the_push_of_its_subject(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    owe_pushes(partner, 1)
    owe_results(partner, peer.url, 1)
    Push.objects.update(subject="session:S1")
    Result.objects.update(subject="session:S1")

    sweeper.sweep_once(NOW)

    assert [request.method for request in peer.requests] == ["POST", "PUT"]


@pytest.mark.parametrize(
    ("seen_s", "tried_s", "attempts", "is_woken"),
    [
        (5, -11, 1, True),
        (-12, -11, 1, False),
        (None, -11, 1, False),
        (5, -9, 1, False),
        (5, -11, 0, False),
    ],
)
def test_wakes_a_failing_push_when_the_partner_is_back(
    peer: Peer, seen_s: int | None, tried_s: int, attempts: int, is_woken: bool
) -> None:
    seen_at = None if seen_s is None else NOW + timedelta(seconds=seen_s)
    owe_pushes(make_partner(url=peer.url, last_seen_at=seen_at), 1)
    Push.objects.update(
        attempts=attempts, tried_at=NOW + timedelta(seconds=tried_s), next_at=NOW + timedelta(minutes=15)
    )

    sweeper.sweep_once(NOW)

    assert len(peer.requests) == int(is_woken)


def test_runs_the_sweeps_of_other_modules_whatever_one_of_them_does(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(now: datetime) -> int:
        raise ZeroDivisionError

    moments = []
    sweeper.register_sweep("breaks", breaks)
    sweeper.register_sweep("works", lambda now: moments.append(now) or 3)  # type: ignore[func-returns-value]

    assert sweeper.sweep_once(NOW) == 3
    assert moments == [NOW]
    assert "the sweep breaks failed" in caplog.text


def test_runs_until_it_is_told_to_stop(peer: Peer) -> None:
    with running():
        owe_results(make_partner(url=peer.url), peer.url, 3, now=timezone.now())
        peer.wait_for("POST", count=3)
        wait_for(lambda: Result.objects.filter(state=Duty.State.DONE).count() == 3)


def test_ends_only_what_it_began_when_it_is_told_to_stop(peer: Peer) -> None:
    is_told = threading.Event()

    def waits(request: Recorded) -> Any:
        is_told.wait(5)
        return enveloped()

    peer.answer("PUT", body=waits)
    with running() as stop:
        owe_pushes(make_partner(url=peer.url), 6, now=timezone.now())
        peer.wait_for("PUT", count=2)
        stop.set()
        is_told.set()

    assert Push.objects.filter(state=Duty.State.DONE).count() == len(peer.requests) == 2


def test_keeps_others_served_when_partners_hang(peer: Peer) -> None:
    now = timezone.now()
    with running(), Peer() as hung:
        hung.answer("*", delay=8)
        for _ in range(3):
            partner = make_partner(url=hung.url)
            owe_results(partner, hung.url, 6, now=now)
            owe_pushes(partner, 6, now=now)
        hung.wait_for(count=6)
        owe_results(make_partner(url=peer.url), peer.url, 20, now=timezone.now())
        peer.wait_for("POST", count=20)

        in_flight = Push.objects.filter(state=Duty.State.LEASED)
        assert all(in_flight.filter(partner=partner).count() <= 2 for partner in Partner.objects.all())


def test_leaves_to_a_node_beside_it_what_that_delivers(peer: Peer, settings: Any) -> None:
    settings.IS_EMBEDDED = True
    now = timezone.now()
    owe_results(make_partner(url=peer.url), peer.url, 2, now=now)
    held = Result.objects.get(url__endswith="/0")
    Result.objects.filter(pk=held.pk).update(
        state=Duty.State.LEASED, lease_owner="beside:1:x", lease_until=now + timedelta(hours=1)
    )

    with running():
        peer.wait_for("POST")

    held.refresh_from_db()
    assert (held.state, held.lease_owner, len(peer.requests)) == (Duty.State.LEASED, "beside:1:x", 1)


def test_goes_on_after_the_database_failed(
    peer: Peer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Callable[[], None]] = []

    def fails_twice(now: datetime) -> int:
        if len(failures) < 2:
            failures.append(lambda: None)
            raise db.OperationalError("server closed the connection\nunexpectedly")
        return 0

    monkeypatch.setattr(sweeper, "_wake_pushes", fails_twice)
    owe_results(make_partner(url=peer.url), peer.url, 1, now=timezone.now())
    caplog.set_level("INFO")

    with running():
        peer.wait_for("POST")

    lines = [record.getMessage() for record in caplog.records if record.name == "ocpi.delivery.sweeper"]
    assert lines == [
        "The sweeper waits for its database: server closed the connection",
        "The sweeper reaches its database again.",
    ]
